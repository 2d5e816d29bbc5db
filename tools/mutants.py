"""Do the tests notice? Break the shipped code in every small way that cosmic-ray knows, and see which tests fail.

In a copy of the repository. First the tests must pass there as they are, and fail for a mutant that is known to be bad:
a mutant that dies because the tests fail anyway tells nothing. Survivors are printed with what was changed.
"""

import argparse
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = Path("layers/core/apikeys")
COSMIC_RAY = ROOT / ".venv-hostile" / "bin" / "cosmic-ray"
ENVIRONMENTS = (".venv", ".venv-sam", ".reference")
# The fast tests of each module whose mistakes are holes.
TESTS = {
    "keys.py": "tests/unit/test_keys.py",
    "weak.py": "tests/security/issuer_keys/test_weak_keys.py",
    "caller.py": "tests/security/caller",
    "issuer.py": "tests/security/issuer_keys",
    "published_keys.py": "tests/security/issuer_keys",
    "check.py": "tests/integration/check",
    "endpoint.py": "tests/integration/check tests/integration/test_faults.py tests/integration/test_revoke_api_key.py",
    "request.py": "tests/security/test_parsers.py tests/integration/test_revoke_api_key.py",
    "store/api_keys.py": "tests/wire/test_calls.py tests/integration/test_revoke_api_key.py "
    "tests/integration/test_rotate_api_key.py tests/integration/test_late_answers.py",
}
SAMPLE = ("keys.py",)
# A mutant that must die, for this reason: any secret passes for the right one.
KNOWN_BAD = (
    "keys.py",
    "return hmac.compare_digest(self.hash, stored)",
    "return True",
    "test_a_secret_matches_its_own_hash_only",
)
CONFIG = """
[cosmic-ray]
module-path = "{module}"
timeout = 120.0
excluded-modules = []
test-command = "{command}"
[cosmic-ray.distributor]
name = "local"
"""


def copied(target: Path) -> None:
    """Copy what is in the repository, as it is now, and link the environments."""
    words = [str(shutil.which("git")), "ls-files", "-z"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603 -- our words
    for name in names.split("\0"):
        if name and (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    for name in ENVIRONMENTS:
        (target / name).symlink_to(ROOT / name)
    bundle = Path("functions/serve_reference/bundle")
    if (ROOT / bundle).exists():
        shutil.copytree(ROOT / bundle, target / bundle)


def command(module: str, target: Path) -> list[str]:
    """Return what runs a module's fast tests in the copy, on the copy's code."""
    pytest = "python -m pytest -q -x -p no:randomly -p no:cacheprovider"
    return [
        "env",
        f"PYTHONPATH={target / 'layers/core'}",
        *f"{ROOT}/.venv/bin/{pytest} {TESTS[module]}".split(),
    ]


def run(module: str, target: Path) -> "subprocess.CompletedProcess[str]":
    """Run a module's fast tests in the copy."""
    return subprocess.run(command(module, target), cwd=target, capture_output=True, text=True, check=False)  # noqa: S603 -- our own words


def prove_the_setup(target: Path, modules: list[str]) -> None:
    """Fail unless the tests pass as they are, and a known mutant dies for its own reason."""
    for module in modules:
        found = run(module, target)
        if found.returncode:
            sys.exit(f"The tests of {module} fail without a mutant:\n{found.stdout[-2000:]}")
    module, good, bad, reason = KNOWN_BAD
    path = target / PACKAGE / module
    text = path.read_text()
    if text.count(good) != 1:
        sys.exit(f"{module} does not have the line that the known mutant changes")
    path.write_text(text.replace(good, bad))
    found = run(module, target)
    path.write_text(text)
    if reason not in found.stdout:
        sys.exit(f"The known mutant did not die of {reason}:\n{found.stdout[-2000:]}")
    print(f"The tests pass as they are; the known mutant dies of {reason}.", flush=True)


def mutate(target: Path, module: str, most: int | None) -> tuple[int, list[str]]:
    """Run a module's mutants, all or so many of them, and return how many there were and the survivors' changes."""
    config, session = target / "mutants.toml", target / f"{Path(module).stem}.sqlite"
    config.write_text(CONFIG.format(module=PACKAGE / module, command=" ".join(command(module, target))))
    subprocess.run([COSMIC_RAY, "init", config, session], cwd=target, check=True, capture_output=True)  # noqa: S603 -- the same
    with sqlite3.connect(session) as jobs:
        ids = [row[0] for row in jobs.execute("SELECT job_id FROM work_items ORDER BY job_id")]
        left_out = random.sample(ids, len(ids) - most) if most is not None and most < len(ids) else []
        for table in ("mutation_specs", "work_items"):
            jobs.executemany(f"DELETE FROM {table} WHERE job_id = ?", [(job,) for job in left_out])  # noqa: S608 -- our own tables
    subprocess.run([COSMIC_RAY, "exec", config, session], cwd=target, check=True)  # noqa: S603 -- the same
    with sqlite3.connect(session) as jobs:
        done = jobs.execute(
            "SELECT test_outcome, operator_name, start_pos_row, diff FROM work_results"
            " JOIN mutation_specs USING (job_id)"
        ).fetchall()
    survivors = [
        f"{module}:{row} {operator}\n{diff}" for outcome, operator, row, diff in done if "SURVIVED" in outcome
    ]
    return len(done), survivors


def main() -> None:
    """Run all mutants, or with --sample so many of a few modules."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, of keys.py")
    parser.add_argument("--module", choices=TESTS, action="append", help="only of this one")
    args = parser.parse_args()
    modules = list(args.module or (SAMPLE if args.sample else TESTS))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        copied(target)
        prove_the_setup(target, modules)
        total = 0
        survivors: list[str] = []
        for module in modules:
            count, alive = mutate(target, module, args.sample)
            print(f"{module}: {count} mutants, {len(alive)} survived", flush=True)
            total, survivors = total + count, survivors + alive
    print(f"{total} mutants, {len(survivors)} survived")
    for survivor in survivors:
        print(survivor)


if __name__ == "__main__":
    main()
