"""`make bench`: measure everything, print one table, write docs/benchmarks.md and the plot."""

import argparse
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import boto3
import botocore
import jwt

from benchmarks import plot, report, rounds
from benchmarks.access import lose_access
from benchmarks.containers import in_containers
from benchmarks.imports import all_imports
from benchmarks.others import PYTHON, USUAL_ANSWERS, others
from benchmarks.prices import bill
from benchmarks.quick import layer_size
from benchmarks.results import COLD, WARM, Results
from benchmarks.scale import scales
from benchmarks.stage import COLD_ROUNDS, ROUNDS, First, Stage, stage
from benchmarks.work import zipped
from local.template import ROOT, Template
from tests.e2e.docker import require_docker

DOCS = ROOT / "docs"


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is being measured, and how long it took."""
    print(f"{name} …", end=" ", flush=True)
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:.0f} s", flush=True)


def warm(staged: Stage, results: Results) -> None:
    """Measure request after request."""
    for name in WARM:
        with step(f"{name}, warm, {ROUNDS} rounds"):
            commands = staged.pair(name)
            if name in {"check", "revoke"}:
                commands |= {other.name: [*other.command, name] for other in others(staged)}
            results.warm[name] = rounds.measure(commands, ROUNDS)
    with step(f"parsers of answers, {ROUNDS} rounds"):
        path = staged.specification("check")
        commands = {
            parser: rounds.python("parsers", path, parser, interpreter=PYTHON)
            for parser in ("http.client", "httptools")
        }
        results.parsers = rounds.measure(commands, ROUNDS)


def cold(staged: Stage, results: Results) -> None:
    """Measure first answers, in turn."""
    for name in COLD:
        with step(f"{name}, cold, {COLD_ROUNDS} rounds"):
            for who in ("ours", "floor"):
                staged.first(name, who)  # whose bytecode is then there
            both: dict[str, list[First]] = {"ours": [], "floor": []}
            for _ in range(COLD_ROUNDS):
                for who, found in both.items():
                    found.append(staged.first(name, who))
            results.cold[name] = both


def bills(results: Results) -> None:
    """Reckon what a million cost."""
    check, revoke = (results.warm[name].of("ours").median for name in ("check", "revoke"))
    results.bills = {
        "check": bill(seconds=check, reads=results.work["check"].units),
        "revoke": bill(seconds=revoke, writes=results.work["revoke"].units),
    }


def run(*, with_containers: bool) -> Iterator[Results]:
    """Measure everything; yield what is known whenever that is worth a page, so that nothing is lost."""
    with step("sizes"):
        functions = Template({}).functions().values()
        sizes = layer_size(), max(zipped(function) for function in functions)
    with stage({"usual": USUAL_ANSWERS}) as staged:
        results = Results(staged.work, sizes=sizes)
        compared = others(staged)
        results.differs = {other.name: other.differs for other in compared}
        results.versions = [
            f"boto3 {boto3.__version__}, botocore {botocore.__version__}, PyJWT {jwt.__version__}",
            *(other.version for other in compared),
        ]
        warm(staged, results)
        cold(staged, results)
        bills(results)
        yield results
        with step("time to lose access"):
            results.access = lose_access(staged)
        yield results
    with step("imports"):
        results.imports = all_imports()
    yield results
    with step("few keys and many"):
        results.scales = scales()
    yield results
    if with_containers:
        with step("SAM's containers"):
            results.containers = in_containers()
        yield results


def published(results: Results) -> Results:
    """Write the page and its plot."""
    (DOCS / "benchmarks.md").write_text(report.page(results))
    draw(results)
    return results


def draw(results: Results) -> None:
    """Write the plot, for light and for dark."""
    check = results.warm["check"]
    names = {"ours": "API Keys", "floor": "boto3's bare get_item"}
    taken = {names.get(name, name): check.of(name).median * 1e6 for name in check.seconds}
    ordered = dict(sorted(taken.items(), key=lambda pair: pair[1]))
    date = f"{datetime.now(UTC):%d %B %Y}"
    for palette in plot.PALETTES:
        drawn = plot.svg(ordered, ours=names["ours"], bare=names["floor"], palette=palette, date=date)
        (DOCS / f"benchmarks-{palette}.svg").write_text(drawn)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--without-containers", action="store_true", help="leave out what needs Docker")
    arguments = parser.parse_args()
    if not arguments.without_containers:
        require_docker()
    found = deque(map(published, run(with_containers=not arguments.without_containers)), maxlen=1)
    print("\n" + report.terminal(found.pop()) + "\n\nWritten: docs/benchmarks.md and its plot")


if __name__ == "__main__":
    main()
