"""template.yaml as CloudFormation gets it: transformed by SAM's own translator."""

import functools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local.run import SAM_PYTHON
from local.template import ROOT, Template
from tests.deployment import EVERYTHING
from tests.infrastructure.deployer_policies import DEPLOYER, GIVEN

PARAMETERS = {"Issuer": "https://issuer.example.com", "Audience": "api-keys"}

type Settle = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def transformed() -> dict[str, Any]:
    """The transformed template, its conditions as they are."""
    return transform()


@pytest.fixture(scope="module")
def created() -> dict[str, Any]:
    """Every resource that a stack may have, whatever its parameters."""
    gradual = {"AuthorizerDeployment": "Canary10Percent5Minutes"}
    resources: dict[str, Any] = transform(ROOT / "template.yaml", **EVERYTHING, **gradual)["Resources"]
    return resources


@pytest.fixture(scope="module")
def deployer() -> dict[str, Any]:
    """The resources of deploy/deployer.yaml, with every parameter given."""
    template = Template(GIVEN, path=DEPLOYER)
    return {
        name: template.decide(one)
        for name, one in template.document["Resources"].items()
        if template.has(one)
    }


@pytest.fixture
def settled() -> Settle:
    """Return the resources that a deployment with these parameters has: transformed, conditions decided."""

    def settle(**parameters: str) -> dict[str, Any]:
        document = transform(ROOT / "template.yaml", **parameters)
        template = Template(PARAMETERS | parameters, document=document)
        resources = document["Resources"].items()
        return {name: template.resolve(one) for name, one in resources if template.has(one)}

    return settle


def of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a type, by logical id."""
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


@pytest.fixture(scope="session", autouse=True)
def _end_of_the_translator() -> Iterator[None]:
    yield
    if _translator.cache_info().currsize:
        _translator().communicate(timeout=30)
        _translator.cache_clear()


def transform(path: Path = ROOT / "template.yaml", /, **parameters: str) -> dict[str, Any]:
    """Return what SAM's translator makes of a template, as it does for each deployment anew."""
    template: dict[str, Any] = json.loads(_transformed(path, json.dumps(PARAMETERS | parameters)))
    return template


@functools.cache
def _transformed(path: Path, parameters: str) -> str:
    translator = _translator()
    assert translator.stdin
    assert translator.stdout
    translator.stdin.write(json.dumps([str(path), json.loads(parameters)]) + "\n")
    translator.stdin.flush()
    answer = translator.stdout.readline()
    assert answer, "what it could not transform, it says on its standard error"
    return answer


@functools.cache
def _translator() -> subprocess.Popen[str]:
    """Start it once: its imports take ten times as long as a transform."""
    command = [str(SAM_PYTHON), "-m", "tests.infrastructure.transform"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
