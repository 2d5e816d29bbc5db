"""`make bench-quick`: what is not noise. Calls, units, sizes, imports, and ratios with a wide margin."""

import io
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from apikeys import log
from apikeys.metrics import CHECKS, Outcome
from benchmarks.rounds import LAYER, measure
from benchmarks.stage import Stage, stage
from benchmarks.work import zipped
from local.run import SAM_PYTHON
from local.template import ROOT, Template

ROUNDS = 7
# What may be of the floor's, with a wide margin: `make bench` holds the narrow one.
RATIOS = {"check": 0.4, "revoke": 0.6}
# Calls of each, as IAM names them without the service, and units.
COSTS = {"check": (["GetItem"], 1), "revoke": (["UpdateItem"], 1)}
IMPORTS: dict[str, set[str]] = {"check": set(), "revoke": {"jwt", "cryptography"}}
MOST_OF_COUNTING = 20e-6  # seconds of CPU that a metric adds to a request, whose check takes about 500
MOST_OF_THE_LAYER = 18_000_000  # bytes, unzipped
MOST_OF_A_FUNCTION = 20_000  # bytes of its code, zipped


class Findings:
    """What was looked at, and what was wrong."""

    def __init__(self) -> None:
        self.wrong = 0

    def expect(self, what: str, found: object, *, is_good: bool) -> None:
        """Print a line about one thing."""
        self.wrong += not is_good
        print(f"  {'ok   ' if is_good else 'WRONG'} {what}: {found}", flush=True)


def layer_size() -> int:
    """Build the core layer as `sam build` does, and return its bytes."""
    processor = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
    makefile = ROOT / "layers" / "build" / processor / "Makefile"
    with tempfile.TemporaryDirectory() as folder:
        variables = {"ARTIFACTS_DIR": folder, "PYTHON": str(SAM_PYTHON)}
        command = ["make", "--silent", "-f", str(makefile), "build-CoreLayer"]
        command += [f"{name}={value}" for name, value in variables.items()]
        # Not what the make that runs us has told its recipes.
        own = {key: value for key, value in os.environ.items() if "MAKE" not in key}
        run = subprocess.run(command, cwd=LAYER, env=own, capture_output=True, text=True, check=False)  # noqa: S603 -- ours
        if run.returncode:
            sys.exit(run.stderr)
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def look_at(staged: Stage, findings: Findings) -> None:
    """Look at everything."""
    for name, (operations, units) in COSTS.items():
        work = staged.work[name]
        made = [call.operation for call in work.calls]
        findings.expect(f"{name}, calls", ", ".join(made), is_good=made == operations)
        findings.expect(f"{name}, units", f"{work.units:g}", is_good=work.units == units)
    for name, allowed in IMPORTS.items():
        # What begins with an underscore is the compiled part of something else.
        installed = {package for package in staged.first(name, "ours").installed if package[0] != "_"}
        told = ", ".join(sorted(installed)) or "nothing"
        findings.expect(f"{name}, third-party imports", told, is_good=installed == allowed)
    for name, most in RATIOS.items():
        ratio = measure(staged.pair(name), ROUNDS).ratio("ours", "floor").median
        findings.expect(f"{name}, CPU of the bare call's", f"{ratio:.2f}", is_good=ratio <= most)


def line_of_a_check(*, is_counted: bool) -> float:
    """Return the CPU seconds of a check's line in the log; the least of many, since whatever interferes adds."""
    ids = dict.fromkeys(("key_id", "application_id"), "123e4567-e89b-12d3-a456-426614174000")
    least = float("inf")
    with log.written_to(io.StringIO()):
        for _ in range(50):
            started = time.process_time()
            for _ in range(100):
                log.begin("api-keys", route="GET /")
                if is_counted:
                    log.count(CHECKS, Outcome=Outcome.ACCEPTED)
                log.info("checked", allowed=True, source="192.0.2.1", **ids)
            least = min(least, (time.process_time() - started) / 100)
    return least


def look_at_counting(findings: Findings) -> None:
    """Look at what a request pays for its metric."""
    added = line_of_a_check(is_counted=True) - line_of_a_check(is_counted=False)
    findings.expect(
        "check, CPU that its metric adds", f"{added * 1e6:.1f} µs", is_good=added <= MOST_OF_COUNTING
    )


def look_at_sizes(findings: Findings) -> None:
    """Look at what is deployed."""
    size = layer_size()
    findings.expect("core layer, bytes", f"{size:,}", is_good=size <= MOST_OF_THE_LAYER)
    sizes = {name: zipped(function) for name, function in Template({}).functions().items()}
    name = max(sizes, key=lambda name: sizes[name])
    most = sizes[name]
    findings.expect(f"largest function ({name}), bytes", f"{most:,}", is_good=most <= MOST_OF_A_FUNCTION)


def main() -> None:
    """Look at everything, and fail if something is wrong."""
    started = time.monotonic()
    findings = Findings()
    look_at_sizes(findings)
    look_at_counting(findings)
    with stage() as staged:
        look_at(staged, findings)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)
    if findings.wrong:
        sys.exit(f"{findings.wrong} of these are not what they should be")


if __name__ == "__main__":
    main()
