"""What ships, and what builds and tests it, is known to the byte, and may be used."""

import json
import re
from importlib.metadata import metadata

import pytest

from local.template import ROOT

LOCKED = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("layers/*/requirements.txt")])
PIN = re.compile(r"^([a-z0-9.-]+)(?:\[[a-z0-9,-]+\])?==\S+", re.MULTILINE)
# The licences of what ships, by package. All are permissive; the layers carry their texts.
LICENCES = {
    "annotated-types": "MIT",
    "cryptography": "Apache-2.0 OR BSD-3-Clause",
    "pydantic": "MIT",
    "pydantic-core": "MIT",
    "pyjwt": "MIT",
    "typing-extensions": "PSF-2.0",
    "typing-inspection": "MIT",
    "cffi": "MIT-0",
    "pycparser": "BSD-3-Clause",
}


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_everything_that_is_installed_is_locked_with_a_hash(path: object) -> None:
    """Guarantee: no package of another content is installed. Seen to fail with a hash taken out."""
    text = (ROOT / str(path)).read_text()
    requirements = [part for part in re.split(r"\n(?=\S)", text) if not part.startswith("#")]
    assert requirements
    for requirement in requirements:
        assert PIN.match(requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", requirement), requirement
    assert "://" not in text


def test_every_package_of_npm_is_locked_with_its_hash() -> None:
    """Guarantee: the same for the linter. Seen to fail with an integrity taken out."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if name and not package.get("integrity")] == []


def test_the_licences_of_what_ships_are_known() -> None:
    """Guarantee: nothing ships whose licence nobody looked at. Seen to fail with a package left out of LICENCES."""
    shipped = {
        name for path in ROOT.glob("layers/*/requirements.txt") for name in PIN.findall(path.read_text())
    }
    found = {}
    for name in shipped:
        about = metadata(name)
        found[name] = about.get("License-Expression") or about.get("License")
    assert found == LICENCES
