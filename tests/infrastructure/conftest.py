"""template.yaml as CloudFormation gets it: transformed by SAM's own translator."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.run import SAM_PYTHON
from local.template import ROOT, Template

TRANSFORM = Path(__file__).parent / "transform.py"
PARAMETERS = {"Issuer": "https://issuer.example.com", "Audience": "api-keys"}

type Settle = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def transformed() -> dict[str, Any]:
    """The transformed template, its conditions as they are."""
    return transform()


@pytest.fixture
def settled(tmp_path: Path) -> Settle:
    """Return the resources that a deployment with these parameters has: transformed, conditions decided."""

    def settle(**parameters: str) -> dict[str, Any]:
        path = tmp_path / "transformed.json"
        path.write_text(json.dumps(transform(ROOT / "template.yaml", **parameters)))
        template = Template(PARAMETERS | parameters, path=path)
        resources: dict[str, Any] = template.document["Resources"]
        return {name: template.resolve(one) for name, one in resources.items() if template.has(one)}

    return settle


def transform(path: Path = ROOT / "template.yaml", /, **parameters: str) -> dict[str, Any]:
    """Return what SAM's translator makes of a template, as it does for each deployment anew."""
    given = [f"{name}={value}" for name, value in (PARAMETERS | parameters).items()]
    command = [str(SAM_PYTHON), str(TRANSFORM), str(path), *given]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    template: dict[str, Any] = json.loads(run.stdout)
    return template
