"""What subjects stand on: work recorded on DynamoDB Local, and the responder that plays it back."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore
import trustme

from benchmarks import rounds
from benchmarks.work import Answers, Recording, Work, deployment, record, specification
from local.template import ROOT
from tools.dynamodb_local import dynamodb_local

ROUNDS, COLD_ROUNDS = 21, 9


@dataclass(frozen=True, slots=True)
class First:
    """A cold start.

    Args:
        seconds: of CPU until the first answer, after what Lambda's runtime has imported.
        kib: of memory that the process had at most.
        installed: third-party packages that it imported.
    """

    seconds: float
    kib: int
    installed: list[str]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that subjects need.

    Args:
        recording: of what is measured.
        dynamodb: URL of the DynamoDB Local that it was recorded on.
        folder: of the subjects' specifications.
        urls: of the responder, plain and over TLS, by work.
        authorities: file of the certification authorities that subjects trust.
    """

    recording: Recording
    dynamodb: str
    folder: Path
    urls: dict[str, list[str]]
    authorities: Path

    @property
    def work(self) -> dict[str, Work]:
        """What is measured, by name."""
        return self.recording.work

    def specification(self, name: str, *, endpoint: str = "", is_secure: bool = False) -> str:
        """Return the path of a file with what a subject must know.

        Args:
            name: of the work.
            endpoint: URL of DynamoDB; the responder's if there is none.
            is_secure: whether to speak TLS to it.
        """
        url = endpoint or self.urls[name][is_secure]
        path = self.folder / f"{name} {url}".replace("/", "-").replace(" ", "-")
        trust = {"SSL_CERT_FILE": str(self.authorities), "AWS_CA_BUNDLE": str(self.authorities)}
        known = specification(self.recording, self.work[name], url)
        known["environment"] |= trust if is_secure else {}
        path.write_text(json.dumps(known))
        return str(path)

    def pair(self, name: str) -> dict[str, list[str]]:
        """Return the commands of the function as deployed and of its floor."""
        path = self.specification(name)
        return {who: rounds.python(who, path) for who in ("ours", "floor")}

    def revoked_while_checked(self) -> str:
        """Return the path of a file with what a subject must know to check keys on DynamoDB Local, and revoke them."""
        path = Path(self.specification("check", endpoint=self.dynamodb))
        revoke = specification(self.recording, self.work["revoke"], self.dynamodb)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"revoke": revoke}))
        return str(path)

    def first(self, name: str, who: str) -> First:
        """Start a process, over TLS, and return what its first answer took."""
        program = str(Path(__file__).with_name("first_answer.py"))
        told = subprocess.run(  # noqa: S603 -- our own words
            [sys.executable, "-P", program, who, self.specification(name, is_secure=True)],
            env=rounds.environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=rounds.PATIENCE,
        )
        found: dict[str, Any] = json.loads(told.stdout)
        return First(**found)


@contextmanager
def stage(played: Mapping[str, Answers] | None = None) -> Iterator[Stage]:
    """Record, and play back until the block ends.

    Args:
        played: to others besides, by name.
    """
    with (
        tempfile.TemporaryDirectory() as name,
        dynamodb_local() as dynamodb,
        deployment(dynamodb) as deployed,
    ):
        folder = Path(name)
        recording = record(deployed)
        authority = trustme.CA()
        certificate = folder / "certificate.pem"
        certificate.write_bytes(authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.bytes())
        # As many as there are on a system: reading them is part of a cold start.
        known = Path(botocore.__file__).with_name("cacert.pem").read_bytes()
        authorities = folder / "authorities.pem"
        authorities.write_bytes(known + authority.cert_pem.bytes())
        answers = folder / "answers.json"
        recorded = {work.name: work.answers for work in recording.work.values()}
        answers.write_text(json.dumps(recorded | dict(played or {})))
        responder = subprocess.Popen(  # noqa: S603 -- our own words
            rounds.python("responder", str(answers), str(certificate)),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert responder.stdout  # noqa: S101 -- for the type checker
            urls = json.loads(responder.stdout.readline())
            yield Stage(recording, dynamodb, folder, urls, authorities)
        finally:
            responder.kill()
            responder.communicate()
