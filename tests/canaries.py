"""Every secret that a test makes is a canary: a test fails in which it shows up and should not.

In `make test` and `make any-day`, which run the whole suite; in a part of it, and in other suites, with --canaries.

The secrets are the secret part of each key string and the signature of each token. Searched for any 12 characters of
them in a row, in every test of every suite in this process: the log with its metrics, what DynamoDB is asked to store,
the reasons and texts of errors, the bodies of refusals, and what a test that passes leaves on the terminal.
"""

import json
import re
from collections.abc import Callable, Generator
from typing import Any

import pytest

from apikeys import log
from apikeys.dynamodb import DynamoDb
from apikeys.errors import ApiError
from apikeys.keys import ApiKey
from local.issuer import LocalIssuer
from tests.documented import Contract

LENGTH = 12
FIELD = re.compile(r'"field": "[^"]*"')
WORD = re.compile(rf"[A-Za-z0-9_-]{{{LENGTH},}}")


class Canaries:
    """The secrets so far, and where pieces of them were found.

    Attributes:
        secrets: how many.
        searched: how many texts, by where they are.
        found: where, since it was last looked at.
    """

    def __init__(self) -> None:
        self._pieces: set[str] = set()
        self.secrets = 0
        self.searched: dict[str, int] = {}
        self.found: list[str] = []

    def add(self, secret: str) -> None:
        """Remember a secret."""
        self.secrets += 1
        self._pieces.update(pieces_of(secret))

    def search(self, where: str, text: str) -> None:
        """Look for a piece of any secret."""
        self.searched[where] = self.searched.get(where, 0) + 1
        for word in WORD.findall(text):
            if not self._pieces.isdisjoint(pieces_of(word)):
                self.found.append(where)


def pieces_of(word: str) -> list[str]:
    """Return all pieces of a word that are long enough to tell."""
    return [word[at : at + LENGTH] for at in range(len(word) - LENGTH + 1)]


CANARIES = Canaries()


class Lines:
    """The module `json`, as the log uses it: what is written passes here."""

    @staticmethod
    def dumps(line: Any) -> str:
        """Return a line, searched."""
        text = json.dumps(line)
        CANARIES.search("log", text)
        return text


def before(kind: type[Any], name: str, look: Callable[..., None]) -> None:
    """Have a method's arguments looked at before it is called."""
    method = getattr(kind, name)

    def looked_at(self: Any, *args: Any, **kwargs: Any) -> Any:
        look(*args, **kwargs)
        return method(self, *args, **kwargs)

    setattr(kind, name, looked_at)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take whether a test fails in which a canary is found."""
    parser.addoption(
        "--canaries", action="store_true", help="fail a test in which a piece of a secret gets out"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Take hold of where secrets are made, and of where they could go."""
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        config.option.canaries = True
    generate, token = ApiKey.generate, LocalIssuer.token

    def generated(**options: Any) -> ApiKey:
        key = generate(**options)
        CANARIES.add(key.secret)
        return key

    def minted(issuer: LocalIssuer, *args: Any, **kwargs: Any) -> str:
        text = token(issuer, *args, **kwargs)
        CANARIES.add(text.rsplit(".", 1)[1])
        return text

    ApiKey.generate = staticmethod(generated)  # type: ignore[method-assign]
    LocalIssuer.token = minted  # type: ignore[method-assign,assignment]
    log.json = Lines  # type: ignore[assignment,attr-defined]
    before(DynamoDb, "call", lambda operation, request: CANARIES.search("DynamoDB", json.dumps(request)))
    before(ApiError, "__init__", lambda *args, **kwargs: CANARIES.search("errors", f"{args} {kwargs}"))
    before(Contract, "check", refusal)


def refusal(  # noqa: PLR0913 -- those of Contract.check
    method: str, path: str, status: int, headers: Any, text: str, *, by_a_function: bool = False
) -> None:
    """Look at an answer; a success may show a key, once, and a refusal names the caller's own members back to them."""
    if status >= 400:
        CANARIES.search("refusals", FIELD.sub("", f"{text} {dict(headers)}"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that passed, if a canary was found in it."""
    report = yield
    if report.when == "teardown" and report.passed:
        for _, text in report.sections:
            CANARIES.search("terminal", text)
        where, CANARIES.found = sorted(set(CANARIES.found)), []
        if where and item.config.getoption("--canaries"):
            report.outcome = "failed"
            report.longrepr = f"12 characters of a secret in a row: {', '.join(where)}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell how much was searched."""
    if CANARIES.secrets:
        terminalreporter.write_line(
            f"canaries: {CANARIES.secrets} secrets, searched for in {CANARIES.searched}"
        )
