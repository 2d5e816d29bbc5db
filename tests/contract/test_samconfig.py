"""SAM CLI needs no flags, and cannot deploy what was built for another processor."""

import tomllib
from typing import Any

import pytest

from local.template import ROOT, Template

CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
LOCAL = ("local_invoke", "local_start_api", "local_start_lambda")
DEFAULT = Template({}).document["Parameters"]["Architecture"]["Default"]


def parameters(environment: str, command: str) -> dict[str, Any]:
    found: dict[str, Any] = CONFIG[environment][command]["parameters"]
    return found


def architecture(environment: str, command: str) -> str:
    overrides = parameters(environment, command).get("parameter_overrides", f"Architecture={DEFAULT}")
    return str(overrides).removeprefix("Architecture=")


@pytest.mark.parametrize(
    ("environment", "processor"), [("default", "x86_64"), ("arm", "arm64"), ("production", "arm64")]
)
def test_what_is_built_is_what_runs(environment: str, processor: str) -> None:
    commands = [command for command in CONFIG[environment] if command in ("build", *LOCAL)]
    assert {architecture(environment, command) for command in commands} == {processor}


@pytest.mark.parametrize("environment", ["default", "production"])
def test_only_a_build_for_production_can_be_deployed(environment: str) -> None:
    """A local build is in another folder, so it cannot be deployed by mistake."""
    folder = parameters("production", "build")["build_dir"]
    assert parameters(environment, "deploy")["template_file"] == f"{folder}/template.yaml"
    assert "build_dir" not in parameters("default", "build")
    assert "build_dir" not in parameters("arm", "build")


def test_on_arm_everything_else_is_as_by_default() -> None:
    for command in ("build", *LOCAL):
        default = parameters("default", command)
        assert parameters("arm", command) == {k: v for k, v in default.items() if k != "parameter_overrides"}


def test_local_runs_can_reach_this_machine() -> None:
    for command in LOCAL:
        assert parameters("default", command)["env_vars"] == "local/sam-local.json"
        assert parameters("default", command)["add_host"] == ["host.docker.internal:host-gateway"]
