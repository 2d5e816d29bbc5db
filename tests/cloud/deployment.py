"""`sam build`, `sam deploy` and `sam delete`, as somebody with an AWS account calls them."""

import json
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.issuer import AUDIENCE
from local.template import ROOT, Template
from tests.cloud.emulator import REGION, Emulator
from tests.cloud.routes import import_body, set_cors
from tests.e2e import sam

ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
BUILD = ROOT / ".aws-sam" / "build" / "template.yaml"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack in the emulator's account.

    Args:
        emulator: where.
        name: of the stack.
        folder: for what it writes down.
    """

    emulator: Emulator
    name: str
    folder: Path

    def deploy(self, **parameters: str) -> str:
        """Create the stack, or change it; return what SAM CLI says.

        Args:
            parameters: of the template; those for this machine are given by default.
        """
        # An archive is nothing that MiniStack knows, and no schedule is to come to pass while the tests run.
        given = {"Architecture": ARCHITECTURE, "AuditArchiveDays": "0", "CanaryMinutes": "60"} | (
            {"Audience": AUDIENCE} if "Issuer" in parameters else {}
        )
        given |= parameters
        overrides = [f"{name}={value}" for name, value in given.items()]
        said = self._sam(
            *("deploy", "--template-file", str(BUILD), "--no-confirm-changeset"),
            *("--parameter-overrides", *overrides),
        )
        self._finish_the_api()
        return said

    @contextmanager
    def with_variables(self, function: str, **changes: str | None) -> Iterator[None]:
        """Give a function other variables, until the block ends.

        Args:
            function: its logical id.
            changes: of its environment; None for what is to be left out.
        """
        client, name = self.emulator.client("lambda"), self.resources()[function]
        before = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        wanted = {key: value for key, value in (before | changes).items() if value is not None}
        client.update_function_configuration(FunctionName=name, Environment={"Variables": wanted})
        try:
            yield
        finally:
            client.update_function_configuration(FunctionName=name, Environment={"Variables": before})

    @contextmanager
    def with_this_version(self, function: str) -> Iterator[None]:
        """Let a function's alias lead to it as it is now, until the block ends.

        Args:
            function: its logical id.
        """
        client, name = self.emulator.client("lambda"), self.resources()[function]
        before = client.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        version = client.publish_version(FunctionName=name)["Version"]
        client.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        try:
            yield
        finally:
            client.update_alias(FunctionName=name, Name="live", FunctionVersion=before)

    def deploy_other(self, template: Path, **parameters: str) -> str:
        """Create a stack of another template, which needs no build; return what SAM CLI says."""
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        return self._sam(
            *("deploy", "--template-file", str(template), "--no-confirm-changeset"),
            *("--parameter-overrides", *overrides),
        )

    def delete(self) -> str:
        """Delete the stack; return what SAM CLI says."""
        return self._sam("delete", "--no-prompts", "--region", REGION)

    def resources(self) -> dict[str, str]:
        """Return the names of its resources, by logical id."""
        listed = self.emulator.client("cloudformation").describe_stack_resources(StackName=self.name)
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in listed["StackResources"]
            if one["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def outputs(self) -> dict[str, str]:
        """Return its outputs."""
        return {one["OutputKey"]: one["OutputValue"] for one in self._description()["Outputs"]}

    def template(self) -> Template:
        """Return the template as it was deployed: transformed, with the stack's parameters."""
        client = self.emulator.client("cloudformation")
        body = client.get_template(StackName=self.name, TemplateStage="Processed")["TemplateBody"]
        path = self.folder / f"{self.name}.json"
        path.write_text(json.dumps(body))
        given = {one["ParameterKey"]: one["ParameterValue"] for one in self._description()["Parameters"]}
        return Template(given, path=path)

    def _description(self) -> dict[str, Any]:
        [found] = self.emulator.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        stack: dict[str, Any] = found
        return stack

    def _finish_the_api(self) -> None:
        gateway, template, names = self.emulator.client("apigatewayv2"), self.template(), self.resources()
        body = template.resolve(template.document["Resources"]["HttpApi"]["Properties"]["Body"])
        arn = f"arn:aws:lambda:{REGION}:000000000000:function:"
        import_body(gateway, names["HttpApi"], body, lambda function: arn + names[function])
        set_cors(gateway, names["HttpApi"], body, template.resolve({"Ref": "CorsOrigins"}))

    def _sam(self, command: str, *options: str) -> str:
        words = [sam.SAM, command, "--stack-name", self.name, *options]
        words += ["--config-file", str(ROOT / "samconfig.toml")]
        variables = {**sam.ENVIRONMENT, **self.emulator.environment}
        run = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        return run.stdout
