"""The revoke imports what it needs, and nothing else."""

import subprocess
import sys

from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Template

NOT_NEEDED = ("pydantic", "aws_lambda_powertools.event_handler", "aws_xray_sdk", "requests", "moto")


def test_no_import_that_the_revoke_does_not_need() -> None:
    function = Template({"Issuer": "https://issuer.example.com", "Audience": "api-keys"}).functions()[
        "RevokeApiKeyFunction"
    ]
    code = "import sys, app; print(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=function.code,
        env=function.environment | AWS_ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    imported = run.stdout.split()
    assert "apikeys.store" in imported
    assert [name for name in imported if name.startswith(NOT_NEEDED)] == []


def test_the_function_is_readable_on_one_screen() -> None:
    for path in (ROOT / "functions").glob("*/*.py"):
        assert len(path.read_text().splitlines()) <= 60, path
