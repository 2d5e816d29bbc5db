"""Do the tests notice? Break the shipped code in every small way that cosmic-ray knows, and see which tests fail.

In a copy of the repository. First the tests must pass there as they are, and fail for a mutant that is known to be bad:
a mutant that dies because the tests fail anyway tells nothing. Survivors are printed with what was changed, unless
equivalent_mutants.toml says why no test can tell them from the code.
"""

import argparse
import importlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import ndiff
from importlib.util import cache_from_source
from pathlib import Path

import pytest
from hypothesis import settings

from tests.moto_server import empty, moto_server

ROOT = Path(__file__).parent.parent
PACKAGE = Path("layers/core/apikeys")
EXPLAINED = Path(__file__).with_name("equivalent_mutants.toml")
COSMIC_RAYS_PYTHON = ROOT / ".venv-hostile" / "bin" / "python"
ENVIRONMENTS = (".venv", ".venv-sam", ".reference")
INTEGRATION = "tests/integration"
METRICS = f"{INTEGRATION}/test_metrics.py"
# The fast tests of each module that ships: of the core, or of a function.
TESTS = {
    "keys.py": "tests/unit/test_keys.py",
    "check.py": f"{INTEGRATION}/check {METRICS}",
    "caller.py": "tests/security/caller",
    "issuer.py": "tests/security/issuer_keys --ignore=tests/security/issuer_keys/test_stalling.py",
    "published_keys.py": "tests/security/issuer_keys",
    "weak.py": "tests/security/issuer_keys/test_weak_keys.py",
    "store/api_keys.py": f"{INTEGRATION}/test_revoke_api_key.py {INTEGRATION}/test_rotate_api_key.py "
    f"{INTEGRATION}/test_late_answers.py {INTEGRATION}/test_revoke_leaked_api_key.py "
    f"{INTEGRATION}/test_revoke_api_keys_found_by_github.py {INTEGRATION}/test_revoke_all_api_keys.py "
    f"{INTEGRATION}/test_issue_and_read_api_key.py {INTEGRATION}/check {INTEGRATION}/test_writes_of_a_key.py "
    f"{INTEGRATION}/test_list_api_keys.py",
    "store/applications.py": f"{INTEGRATION}/test_applications.py {INTEGRATION}/test_late_answers.py "
    f"{INTEGRATION}/test_issue_and_read_api_key.py {INTEGRATION}/test_list_api_keys.py",
    "store/listings.py": f"{INTEGRATION}/test_applications.py {INTEGRATION}/test_list_api_keys.py "
    f"{INTEGRATION}/test_revoke_all_api_keys.py",
    "dynamodb.py": "tests/wire/test_faults.py tests/wire/test_batches.py tests/wire/test_calls.py",
    "connection.py": "tests/wire/test_connection.py tests/wire/test_faults.py tests/wire/test_kept_connections.py "
    "tests/wire/test_tls.py",
    "signature.py": "tests/wire/test_signature.py",
    "github.py": f"tests/security/test_github_alerts.py {INTEGRATION}/test_revoke_api_keys_found_by_github.py",
    "audit.py": f"{INTEGRATION}/test_publish_audit_events.py",
    "log.py": "tests/unit/log",
    "metrics.py": "tests/unit/log",
    "schemas.py": f"tests/unit/test_schemas.py {INTEGRATION}/test_applications.py",
    "pages.py": "tests/unit/test_pages.py",
    "records.py": f"{INTEGRATION}/test_issue_and_read_api_key.py {INTEGRATION}/test_applications.py "
    f"{INTEGRATION}/test_writes_of_a_key.py {INTEGRATION}/test_rotate_api_key.py {INTEGRATION}/check",
    "reasons.py": f"{INTEGRATION}/test_revoke_api_key.py",
    "errors.py": f"{INTEGRATION}/test_applications.py {INTEGRATION}/test_revoke_api_key.py "
    f"{INTEGRATION}/test_faults.py {INTEGRATION}/test_rotate_api_key.py {INTEGRATION}/test_refuse_unknown_route.py",
    "asset.py": f"{INTEGRATION}/test_serve_reference.py",
    "region.py": "tests/wire/test_region.py",
    "credentials.py": "tests/wire/test_credentials.py",
    "settings.py": "tests/unit/test_settings.py",
    "deadline.py": f"tests/wire/test_batches.py {INTEGRATION}/test_deadline.py",
    "wire.py": "tests/wire/test_wire.py tests/wire/test_fetch.py tests/wire/test_faults.py "
    "tests/security/issuer_keys/test_fetching.py tests/security/issuer_keys/test_stalling.py",
    "tls.py": "tests/wire/test_tls.py",
    "fetch.py": "tests/wire/test_fetch.py",
    "endpoint.py": f"{INTEGRATION}/check {INTEGRATION}/test_faults.py {INTEGRATION}/test_revoke_api_key.py "
    f"{INTEGRATION}/test_refuse_unknown_route.py",
    "request.py": f"{INTEGRATION}/test_revoke_leaked_api_key.py {INTEGRATION}/test_revoke_api_key.py "
    f"{INTEGRATION}/check {INTEGRATION}/test_applications.py {INTEGRATION}/test_refuse_unknown_route.py "
    f"tests/security/test_parsers.py {INTEGRATION}/test_malformed_events.py",
    "authorize_request": f"{INTEGRATION}/check",
    "revoke_api_key": f"{INTEGRATION}/test_revoke_api_key.py {METRICS}",
    "revoke_all_api_keys": f"{INTEGRATION}/test_revoke_all_api_keys.py {METRICS}",
    "revoke_leaked_api_key": f"{INTEGRATION}/test_revoke_leaked_api_key.py {METRICS}",
    "revoke_api_keys_found_by_github": f"{INTEGRATION}/test_revoke_api_keys_found_by_github.py {METRICS}",
    "rotate_api_key": f"{INTEGRATION}/test_rotate_api_key.py {METRICS}",
    "issue_api_key": f"{INTEGRATION}/test_issue_and_read_api_key.py",
    "read_api_key": f"{INTEGRATION}/test_issue_and_read_api_key.py",
    "list_api_keys": f"{INTEGRATION}/test_list_api_keys.py",
    "create_application": f"{INTEGRATION}/test_applications.py",
    "list_applications": f"{INTEGRATION}/test_applications.py",
    "introspect_api_key": f"{INTEGRATION}/check/test_introspection.py",
    "whoami": f"{INTEGRATION}/check/test_whoami.py",
    "refuse_unknown_route": f"{INTEGRATION}/test_refuse_unknown_route.py {INTEGRATION}/test_faults.py",
    "serve_reference": f"{INTEGRATION}/test_serve_reference.py",
    "publish_audit_events": f"{INTEGRATION}/test_publish_audit_events.py",
    "find_cached_authorizers": f"{INTEGRATION}/test_find_cached_authorizers.py",
    "measure_revocation": f"{INTEGRATION}/test_measure_revocation.py",
    "measure_revocation/canary.py": f"{INTEGRATION}/test_measure_revocation.py",
    "measure_revocation/client.py": f"{INTEGRATION}/test_canary_client.py {INTEGRATION}/test_measure_revocation.py",
}
OPTIONS = "-q -x -p no:randomly -p no:cacheprovider -p no:xdist -W ignore::pytest.PytestAssertRewriteWarning"
SAMPLE = ("keys.py",)
# A mutant that must die, for this reason: any secret passes for the right one.
KNOWN_BAD = (
    "keys.py",
    "return hmac.compare_digest(self.hash, stored)",
    "return True",
    "test_a_secret_matches_its_own_hash_only",
)
MOST_CPU, MOST_TIME = 60, 600  # seconds, after which the tests do not end any more
# With a mutant, they have that many seconds, and so many times as long as without one.
START, PATIENCE = 20, 4
EXAMPLES = 30  # of each property
# Imported once, by the process of which that of each mutant is a copy: nothing of ours.
PRELOADED = (
    "moto.server",
    "boto3",
    "botocore.auth",
    "cryptography.x509",
    "jsonschema",
    "jwt",
    "pydantic",
    "yaml",
)
OURS = ("apikeys", "local", "tests", "tools")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one thing changed.

    Args:
        module: of TESTS.
        operator: of cosmic-ray's, that changed it.
        row: in which line.
        code: all of it.
    """

    module: str
    operator: str
    row: int
    code: str

    @classmethod
    def all_of(cls, module: str) -> "list[Mutant]":
        """Return a module's mutants."""
        words = [str(COSMIC_RAYS_PYTHON), "-m", "tools.mutations", str(path_of(module))]
        lines = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- ours
        return [cls(module, **json.loads(line)) for line in lines.splitlines()]

    def change(self) -> tuple[str, str]:
        """Return the lines that it changes, and what to."""
        was, now = (ROOT / path_of(self.module)).read_text().splitlines(), self.code.splitlines()
        lines = list(ndiff(was, now))
        return tuple(" ".join(line[2:].strip() for line in lines if line[0] == sign).strip() for sign in "-+")  # type: ignore[return-value]


def path_of(module: str) -> Path:
    """Return where a module of TESTS is."""
    of_a_function = Path("functions") / module
    if not module.endswith(".py"):
        return of_a_function / "app.py"
    return of_a_function if (ROOT / of_a_function).exists() else PACKAGE / module


class Nursery:
    """A copy of the repository in which mutants are tried.

    Args:
        folder: empty.
        moto: URL of a moto for all of them.
    """

    def __init__(self, folder: Path, moto: str) -> None:
        self._folder = folder
        self._moto = moto
        self._most: dict[str, float] = {}  # seconds that a module's tests may take
        words = [str(shutil.which("git")), "ls-files", "-z"]
        names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- ours
        for name in names.split("\0"):
            if name and (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
        for name in ENVIRONMENTS:
            (folder / name).symlink_to(ROOT / name)
        bundle = Path("functions/serve_reference/bundle")
        if (ROOT / bundle).exists():
            shutil.copytree(ROOT / bundle, folder / bundle)
        for name in PRELOADED:
            importlib.import_module(name)
        settings.register_profile("mutants", max_examples=EXAMPLES, derandomize=True, database=None)
        settings.load_profile("mutants")

    def passes(self, module: str, code: str | None = None) -> tuple[bool, str]:
        """Run a module's fast tests, and tell whether they pass, and what pytest said.

        Args:
            module: of TESTS.
            code: of the mutant; as it is if None.
        """
        path = self._folder / path_of(module)
        good = path.read_text()
        path.write_text(code or good)
        try:
            with tempfile.TemporaryFile("w+") as said:
                child = os.fork()
                if not child:
                    self._run(module, said.fileno())
                started = time.monotonic()
                passed = _ended_well(child, self._most.get(module, MOST_TIME))
                if code is None:
                    self._most[module] = START + PATIENCE * (time.monotonic() - started)
                said.seek(0)
                return passed, said.read()
        finally:
            path.write_text(good)
            # What Python made of this one, which it may take for current: made within the same second.
            Path(cache_from_source(str(path))).unlink(missing_ok=True)

    def survivors(self, module: str, mutants: list[Mutant]) -> list[Mutant]:
        """Return those mutants of a module that its tests pass with; how far it is, is shown meanwhile."""
        alive = []
        for number, mutant in enumerate(mutants, 1):
            if self.passes(module, mutant.code)[0]:
                alive.append(mutant)
            if number % 10 == 0:
                print(f"  {module}: {number} of {len(mutants)}, {len(alive)} alive", flush=True)
        return alive

    def _run(self, module: str, output: int) -> None:
        """Be the process of one mutant, to its end."""
        code = 1
        try:
            os.setsid()
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.chdir(self._folder)
            sys.dont_write_bytecode = False  # or each mutant would have to wait for all of it to be compiled
            resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU, MOST_CPU))
            for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
                del sys.modules[name]
            others = [place for place in sys.path if place not in ("", str(ROOT))]
            sys.path[:] = [str(self._folder / "layers/core"), str(self._folder), *others]
            os.environ["PYTHONPATH"] = str(self._folder / "layers/core")
            vars(importlib.import_module("tests.moto_server"))["moto_server"] = self._emptied_moto
            code = pytest.main([*OPTIONS.split(), *TESTS[module].split()])
        except BaseException:  # noqa: BLE001 -- nothing may get out of here
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)

    @contextmanager
    def _emptied_moto(self, **_: str) -> Iterator[str]:
        """Be `moto_server`, without a start."""
        empty(self._moto)
        yield self._moto


def _ended_well(child: int, most: float) -> bool:
    """Wait for a process, and tell whether it ended with 0; end it, and what it started, after so many seconds."""
    until = time.monotonic() + most
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.02)
    return ended[1] == 0


def prove_the_setup(nursery: Nursery, modules: list[str]) -> None:
    """Fail unless the tests pass as they are, and a known mutant dies for its own reason."""
    for module in modules:
        passed, said = nursery.passes(module)
        if not passed:
            sys.exit(f"The tests of {module} fail without a mutant:\n{said[-3000:]}")
    module, good, bad, reason = KNOWN_BAD
    text = (ROOT / path_of(module)).read_text()
    if text.count(good) != 1:
        sys.exit(f"{module} does not have the line that the known mutant changes")
    passed, said = nursery.passes(module, text.replace(good, bad))
    if passed or reason not in said:
        sys.exit(f"The known mutant did not die of {reason}:\n{said[-3000:]}")
    print(f"The tests pass as they are; the known mutant dies of {reason}.", flush=True)


def explained(module: str) -> dict[tuple[str, str], str]:
    """Return the changes of a module that make no difference, each with the reason why."""
    listed = tomllib.loads(EXPLAINED.read_text()).get(module, [])
    return {(one["was"], now): one["because"] for one in listed for now in one["now"]}


def main() -> None:
    """Run all mutants, or with --sample so many of a few modules.

    Survivors that nobody explained are a failure, and so are explanations of no mutant.
    """
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, of keys.py")
    parser.add_argument("--module", choices=TESTS, action="append", help="only of this one")
    args = parser.parse_args()
    modules = list(args.module or (SAMPLE if args.sample else TESTS))
    survivors: list[str] = []
    total = equivalent = 0
    with tempfile.TemporaryDirectory() as folder, moto_server() as moto:
        nursery = Nursery(Path(folder), moto)
        prove_the_setup(nursery, modules)
        for module in modules:
            mutants, reasons, started = Mutant.all_of(module), explained(module), time.monotonic()
            if stale := reasons.keys() - {mutant.change() for mutant in mutants}:
                sys.exit(
                    f"{EXPLAINED.name} explains what is no mutant of {module} (any more): {sorted(stale)}"
                )
            if args.sample:
                mutants = random.sample(mutants, min(args.sample, len(mutants)))
            alive = nursery.survivors(module, mutants)
            known = [mutant for mutant in alive if mutant.change() in reasons]
            spent = round(time.monotonic() - started)
            counts = f"{len(mutants) - len(alive)} killed, {len(known)} equivalent, {len(alive) - len(known)} survived"
            print(f"{module}: {len(mutants)} mutants in {spent} s: {counts}", flush=True)
            total, equivalent = total + len(mutants), equivalent + len(known)
            for mutant in alive:
                was, now = mutant.change()
                if mutant not in known:
                    survivors.append(f"{module}:{mutant.row} {mutant.operator}\n  - {was}\n  + {now}")
                    print(survivors[-1], flush=True)
    print(f"{total} mutants, {equivalent} equivalent, {len(survivors)} survived")
    if survivors:
        sys.exit(1)


if __name__ == "__main__":
    main()
