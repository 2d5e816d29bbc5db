"""SAM CLI needs no flags, cannot deploy what was built for another processor, and asks nobody in CI."""

import json
import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from local.run import SAM_PYTHON
from local.template import ROOT, Template

TEXT = (ROOT / "samconfig.toml").read_text()
CONFIG = tomllib.loads(TEXT)
LOCAL = ("local_invoke", "local_start_api", "local_start_lambda")
PARAMETERS = Template({}).document["Parameters"]
DEFAULT = PARAMETERS["Architecture"]["Default"]
DEPLOYED = ("staging", "production")
# Also those that stand there as a comment, for whoever fills them in.
NAMED = set(re.findall(r'"(\w+)=', TEXT.partition("[staging.deploy.parameters]")[2])) - {
    "service",
    "environment",
}
WORKFLOW = yaml.safe_load((ROOT / "docs" / "deploy.github.yml").read_text())


def parameters(environment: str, command: str) -> dict[str, Any]:
    found: dict[str, Any] = CONFIG[environment][command]["parameters"]
    return found


def architecture(environment: str, command: str) -> str:
    overrides = parameters(environment, command).get("parameter_overrides", f"Architecture={DEFAULT}")
    return str(overrides).removeprefix("Architecture=")


@pytest.mark.parametrize(
    ("environment", "processor"),
    [("default", "x86_64"), ("arm", "arm64"), *((deployed, "arm64") for deployed in DEPLOYED)],
)
def test_what_is_built_is_what_runs(environment: str, processor: str) -> None:
    commands = [command for command in CONFIG[environment] if command in ("build", *LOCAL)]
    assert {architecture(environment, command) for command in commands} == {processor}


@pytest.mark.parametrize("environment", ["default", *DEPLOYED])
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


def overrides(environment: str) -> dict[str, str]:
    """Return the template's parameters that an environment gives."""
    given = parameters(environment, "deploy")["parameter_overrides"]
    return dict(one.split("=", 1) for one in given)


def test_every_section_is_read_by_sam_cli_and_every_option_in_it_exists() -> None:
    """SAM CLI ignores an option that it does not know. Seen to fail with `confirm_change_set`."""
    asked = [
        [environment, command]
        for environment in CONFIG
        if environment != "version"
        for command in CONFIG[environment]
    ]
    program = [str(SAM_PYTHON), "-m", "tests.contract.read_samconfig", json.dumps(asked)]
    run = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, f"{len(asked)} sections\n"), run.stderr


def test_every_parameter_that_is_named_exists() -> None:
    """Guarantee: no setting is lost, which SAM CLI would not tell. Seen to fail with `KeepDate`."""
    assert PARAMETERS.keys() >= NAMED
    assert {"Issuer", "AlarmEmail", "KeepData", "PermissionsBoundary"} <= NAMED


@pytest.mark.parametrize("environment", DEPLOYED)
def test_every_value_is_one_that_the_template_takes(environment: str) -> None:
    """But that of AlarmEmail, which is to be filled in. Seen to fail with `AuditArchiveDays=week`."""
    for name, value in overrides(environment).items():
        parameter = PARAMETERS[name]
        assert value in map(str, parameter.get("AllowedValues", [value])), name
        assert parameter["Type"] != "Number" or value.isdigit(), name
        if name != "AlarmEmail":
            assert re.search(parameter.get("AllowedPattern", ""), value), name


def test_production_is_not_deployed_before_somebody_says_whom_alarms_tell() -> None:
    """Guarantee: nobody believes to be watched over who is not. Seen to fail with `on-call@example.com`."""
    pattern = PARAMETERS["AlarmEmail"]["AllowedPattern"]
    assert not re.search(pattern, overrides("production")["AlarmEmail"])
    assert "AlarmEmail" not in overrides("staging")


def test_production_keeps_its_data_and_moves_on_by_and_by_and_staging_neither() -> None:
    assert overrides("production")["KeepData"] == "true"
    assert overrides("production")["AuthorizerDeployment"] != "AllAtOnce"
    assert (overrides("staging")["KeepData"], overrides("staging")["AuthorizerDeployment"]) == (
        "false",
        "AllAtOnce",
    )


def test_what_was_tried_in_staging_is_what_production_gets() -> None:
    assert CONFIG["staging"]["build"] == CONFIG["production"]["build"]
    staging, production = (parameters(environment, "deploy") for environment in DEPLOYED)
    assert staging.keys() == production.keys()
    differ = {name for name in staging if staging[name] != production[name]}
    assert differ == {"stack_name", "tags", "parameter_overrides"}


def test_no_stacks_name_begins_with_anothers() -> None:
    """Guarantee: who may deploy what is named after one stack may not touch the other. Seen to fail with a suffix."""
    names = {parameters(environment, "deploy")["stack_name"] for environment in DEPLOYED}
    assert len(names) == len(DEPLOYED)
    assert not [(one, other) for one in names for other in names if one != other and one.startswith(other)]


@pytest.mark.parametrize("environment", DEPLOYED)
def test_a_deployment_into_an_environment_asks_nobody(environment: str) -> None:
    """Guarantee: CI does not wait for an answer. Seen to fail with `confirm_changeset`, and with `--guided`."""
    given = parameters(environment, "deploy")
    assert given["confirm_changeset"] is False
    assert given["fail_on_empty_changeset"] is False, "a push that changes nothing is no failure"
    assert not given.keys() & {"guided"}
    [job] = WORKFLOW["jobs"].values()
    assert environment in job["strategy"]["matrix"]["environment"]
    for step in job["steps"]:
        assert not re.search(r"--guided|--confirm-changeset| -g\b", step.get("run", ""))


def test_the_workflow_builds_and_deploys_by_samconfig_alone() -> None:
    """What it deploys is in the repository: it gives no parameter, and stores no secret. Seen to fail with either."""
    [job] = WORKFLOW["jobs"].values()
    runs = [step["run"] for step in job["steps"] if step.get("run", "").startswith("sam ")]
    assert [run.split(" ${{")[0] for run in runs] == ["sam build --config-env", "sam deploy --config-env"]
    assert "parameter-overrides" not in str(WORKFLOW)
    assert "secrets." not in str(WORKFLOW)
    assert job["strategy"]["matrix"]["environment"] == list(DEPLOYED)
    assert job["strategy"]["max-parallel"] == 1
    assert job["strategy"].get("fail-fast", True)
