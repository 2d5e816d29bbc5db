"""template.yaml as CloudFormation gets it: transformed by SAM's own translator."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.run import SAM_PYTHON
from local.template import ROOT

TRANSFORM = Path(__file__).parent / "transform.py"
PARAMETERS = {"Issuer": "https://issuer.example.com", "Audience": "api-keys"}


@pytest.fixture(scope="session")
def transformed() -> dict[str, Any]:
    """The transformed template."""
    given = [f"{name}={value}" for name, value in PARAMETERS.items()]
    command = [str(SAM_PYTHON), str(TRANSFORM), str(ROOT / "template.yaml"), *given]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    template: dict[str, Any] = json.loads(run.stdout)
    return template
