"""A function imports what it needs, and nothing else."""

import json
import subprocess
import sys

import pytest

from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Template
from tests.deployment import EVERYTHING

FUNCTIONS = Template(
    EVERYTHING | {"Issuer": "https://issuer.example.com", "Audience": "api-keys"}
).functions()
JWT = {"jwt", "cryptography"}
BODIES = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}
# Of the runtime; certifi it takes where that is installed.
BOTO3 = {"boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3", "certifi"}
THIRD_PARTY = {
    "AuthorizeRequest": set[str](),
    "CreateApplication": JWT | BODIES,
    "FindCachedAuthorizers": BOTO3,
    "IntrospectApiKey": JWT,
    "IssueApiKey": JWT | BODIES,
    "ListApiKeys": JWT,
    "ListApplications": JWT,
    "MeasureRevocation": BOTO3,
    "PublishAuditEvents": BOTO3,
    "ReadApiKey": JWT,
    "RefuseUnknownRoute": set[str](),
    "RevokeAllApiKeys": JWT,
    "RevokeApiKey": JWT,
    "RevokeApiKeysFoundByGithub": {"cryptography"},
    "RevokeLeakedApiKey": set[str](),
    "RotateApiKey": JWT | BODIES,
    "ServeReference": set[str](),
    "Whoami": set[str](),
}
# Of the standard library, what costs milliseconds and is needed only once something breaks, or never.
NOT_NEEDED = {"logging", "traceback", "urllib.request", "asyncio", "unittest", "xml"}
CODE = """
import json, sys
before = set(sys.modules)
import app
new = {name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}
print(json.dumps(new))
"""


def imported(function: str) -> dict[str, str]:
    """Return what a cold start imports, in an interpreter of its own: the files of modules, by name."""
    found = FUNCTIONS[f"{function}Function"]
    environment = found.environment | AWS_ENVIRONMENT
    run = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=found.code,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    files: dict[str, str] = json.loads(run.stdout)
    return files


@pytest.mark.parametrize("function", THIRD_PARTY)
def test_a_cold_start_imports_this_third_party_code_and_no_other(function: str) -> None:
    """Guarantee: the authorizer runs no code but ours and Python's. Seen to fail with `import jwt` in the check."""
    installed = [name.split(".")[0] for name, file in imported(function).items() if "site-packages" in file]
    # What begins with an underscore is the compiled part of something else.
    assert {name for name in installed if not name.startswith("_")} == THIRD_PARTY[function]


@pytest.mark.parametrize("function", [name for name, libraries in THIRD_PARTY.items() if not libraries])
def test_of_the_standard_library_nothing_heavy(function: str) -> None:
    assert NOT_NEEDED & set(imported(function)) == set()


def test_every_function_is_looked_at() -> None:
    assert {f"{name}Function" for name in THIRD_PARTY} == FUNCTIONS.keys()


def test_the_function_is_readable_on_one_screen() -> None:
    for path in (ROOT / "functions").glob("*/app.py"):
        assert len(path.read_text().splitlines()) <= 60, path
