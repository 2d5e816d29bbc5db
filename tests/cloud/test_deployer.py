"""CI's role of deploy/deployer.yaml against what `sam deploy` asks of AWS, as the SDK inside it tells."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.template import ROOT, Template
from tests.cloud.emulator import Emulator, emulator
from tests.e2e import sam
from tests.infrastructure.deployer_policies import DEPLOYER, GIVEN, actions, of_ci

# What Python runs first: makes the SDK tell every call.
TELLING = """
import logging
logging.getLogger("botocore.endpoint").setLevel(logging.DEBUG)
logging.getLogger("botocore.endpoint").addHandler(logging.StreamHandler())
"""
IN_IAM = {"HeadObject": "s3:GetObject", "PutObject": "s3:PutObject"}
# What is asked does not depend on what is deployed, once there is something to upload.
SMALL = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Layer: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: layer } }
  Queue: { Type: AWS::SQS::Queue }
"""


@pytest.fixture(scope="module")
def empty_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with emulator(tmp_path_factory.mktemp("deployer")) as account:
        yield account


def test_ci_may_call_what_sam_deploy_calls_and_nothing_else(empty_account: Emulator, tmp_path: Path) -> None:
    """Guarantee: a workflow with that role deploys, the first time and again, and can do nothing besides.

    Seen to fail without `cloudformation:GetTemplateSummary`, and with `cloudformation:DeleteStack`.
    """
    template, layer = tmp_path / "template.yaml", tmp_path / "layer"
    layer.mkdir()
    (tmp_path / "sitecustomize.py").write_text(TELLING)
    options = ["--config-file", str(ROOT / "samconfig.toml"), "--config-env", "production"]
    options += [
        "--template-file",
        str(template),
        "--role-arn",
        "arn:aws:iam::000000000000:role/deployers/execution",
    ]

    def deploy(text: str) -> set[str]:
        template.write_text(text)
        (layer / "content").write_text(text)
        run = subprocess.run(
            [sam.SAM, "deploy", *options],
            cwd=tmp_path,
            env={**sam.ENVIRONMENT, **empty_account.environment, "PYTHONPATH": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stdout + run.stderr[-3000:]
        called = re.findall(r"Making request for OperationModel\(name=(\w+)\)", run.stderr)
        return {IN_IAM.get(name, f"cloudformation:{name}") for name in called}

    # As whoever sets the account up does, which makes SAM CLI's bucket as well; then a change.
    called = deploy(SMALL) | deploy(SMALL.replace("Queue:", "Another:"))
    deployer = Template(GIVEN, path=DEPLOYER)
    allowed = actions(of_ci(deployer.document["Resources"]))
    assert called <= allowed
    assert allowed - called == {"iam:PassRole"}
