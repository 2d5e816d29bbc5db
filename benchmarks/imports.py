"""What each function imports at its cold start, by `-X importtime`, and what Powertools would add."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import rounds
from benchmarks.others import PYTHON
from local.issuer import AUDIENCE
from local.run import AWS_ENVIRONMENT
from local.template import ROOT, Template

TIMES = 9  # of which the fastest counts: nothing disturbs an import into being faster
ROW = re.compile(r"import time: +(\d+) \| +\d+ \| *(\S+)")
# Imported by Lambda's runtime before a function, as in first_answer.py; what comes behind the mark is the function's.
RUNTIME = "import concurrent.futures, decimal, http.client, importlib, json, logging.config, math, traceback, warnings"
MARK = "__hello__"
GROUPS = {
    "our own": {"app", "apikeys"},
    "JWT": {"jwt", "cryptography", "_cffi_backend"},
    "bodies": {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"},
    "Powertools": {"aws_lambda_powertools"},
    "boto3": {"boto3", "botocore", "s3transfer", "urllib3", "jmespath", "dateutil", "six", "certifi"},
}
STANDARD = "standard library"
POWERTOOLS = {
    "Powertools' logger": "from aws_lambda_powertools import Logger; Logger(service='s')",
    "Powertools' metrics": "from aws_lambda_powertools import Metrics; Metrics(namespace='n')",
    "Powertools' batches": "from aws_lambda_powertools.utilities.batch import BatchProcessor",
    "Powertools' resolver": "from aws_lambda_powertools.event_handler import APIGatewayHttpResolver",
    "boto3's DynamoDB client": "import boto3; boto3.client('dynamodb', region_name='eu-central-1')",
}


@dataclass(frozen=True, slots=True)
class Imports:
    """What is imported.

    Args:
        name: by whom.
        cpu: milliseconds of CPU for all of it.
        milliseconds: by group; those of nothing are left out.
    """

    name: str
    cpu: float
    milliseconds: dict[str, float]

    @property
    def total(self) -> float:
        """All of it, in milliseconds."""
        return sum(self.milliseconds.values())


def all_imports() -> list[Imports]:
    """Return what each function imports, the least first, and then what others would."""
    issuer = {"Issuer": "https://issuer.example.com", "Audience": AUDIENCE}
    functions = Template(issuer).functions().values()
    found = [
        fastest(function.code.name, [sys.executable], "import app", function.code, function.environment)
        for function in functions
    ]
    others = [fastest(name, [PYTHON], code, ROOT, {}) for name, code in POWERTOOLS.items()]
    return sorted(found, key=lambda imports: imports.total) + others


def fastest(
    name: str, python: Sequence[str], code: str, folder: Path, environment: Mapping[str, str]
) -> Imports:
    """Return the fastest of several starts, and the least CPU of any."""
    variables = rounds.environment() | AWS_ENVIRONMENT | dict(environment)
    measured = f"import time; before = time.process_time()\n{code}\nprint(time.process_time() - before)"
    command = [*python, "-X", "importtime", "-c", "\n".join([RUNTIME, f"import {MARK}", measured])]
    starts = []
    for _ in range(TIMES):
        run = subprocess.run(  # noqa: S603 -- our own words
            command, cwd=folder, env=variables, capture_output=True, text=True, check=True
        )
        cpu = float(run.stdout.splitlines()[-1]) * 1000
        starts.append(Imports(name, cpu, _grouped(ROW.findall(run.stderr))))
    fast = min(starts, key=lambda imports: imports.total)
    return replace(fast, cpu=min(start.cpu for start in starts))


def _grouped(rows: list[tuple[str, str]]) -> dict[str, float]:
    names = [module for _, module in rows]
    found: dict[str, float] = {}
    for microseconds, module in rows[names.index(MARK) + 1 :]:
        top = module.split(".")[0]
        group = next((group for group, members in GROUPS.items() if top in members), STANDARD)
        found[group] = found.get(group, 0) + int(microseconds) / 1000
    return found
