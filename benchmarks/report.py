"""The table on the terminal, and the page docs/benchmarks.md."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import prices
from benchmarks.imports import GROUPS, STANDARD, TIMES
from benchmarks.results import Results, Row
from benchmarks.rounds import Spread
from benchmarks.stage import COLD_ROUNDS, ROUNDS

NAMES = {"ours": "API Keys", "floor": "the bare calls, boto3"}


def terminal(results: Results) -> str:
    """Return the table for a terminal."""
    lines = [f"{'':<42}{'ours':>9}{'floor':>9}    {'ratio':<7}{'middle half':<14}must reach"]
    for row in results.rows():
        figures = f"{row.ours:>9.0f}{row.bare:>9.0f} {row.unit}"
        reached = "" if row.is_reached else "   NOT REACHED"
        lines.append(
            f"{row.what:<42}{figures} {row.ratio.median:<7.2f}{_half(row.ratio):<14}≤ {row.must:.2f}{reached}"
        )
    return "\n".join(lines)


def page(results: Results) -> str:
    """Return docs/benchmarks.md."""
    parts = [
        _beginning(),
        _table(results),
        _calls(results),
        _others(results),
        _access(results),
        _scale(results),
        _containers(results),
        _imports(results),
        _parsers(results),
        _dollars(results),
        _how(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _half(spread: Spread) -> str:
    low, high = spread.quarters
    return f"{low:.2f} to {high:.2f}"


def _rows(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _beginning() -> str:
    return f"""# Benchmarks

Written by `make bench` on {datetime.now(UTC):%d %B %Y}. The ratios are the result: each to a floor that was measured in the
same run, round by round. The absolute figures are those of this machine, and of whatever else it did meanwhile.

- Machine: {_machine()}
- System: {platform.system()} {platform.release()}, {platform.python_implementation()} {platform.python_version()}"""


def _machine() -> str:
    try:
        known = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        known = []
    model = next(
        (line.split(":")[1].strip() for line in known if line.startswith("model name")), "unknown processor"
    )
    load = os.getloadavg()[1]
    return f"{model}, {os.cpu_count()} cores, {platform.machine()}; load of the last five minutes {load:.1f}"


def _table(results: Results) -> str:
    rows = [_line(row) for row in results.rows()]
    head = ["what", "floor", "ours", "floor's", "ratio (middle half)", "must reach", ""]
    return "## Against the floor\n\nCPU of the process, user and system; memory at its peak.\n\n" + _rows(
        head, rows
    )


def _line(row: Row) -> list[str]:
    return [
        row.what,
        row.floor,
        f"{row.ours:.0f} {row.unit}",
        f"{row.bare:.0f} {row.unit}",
        f"**{row.ratio.median:.2f}** ({_half(row.ratio)})",
        f"≤ {row.must:.2f}",
        "reached" if row.is_reached else "**not reached**",
    ]


def _calls(results: Results) -> str:
    rows = [
        [name, ", ".join(f"`{call.operation}`" for call in work.calls), f"{work.units:g}"]
        for name, work in results.work.items()
    ]
    layer, function = results.sizes
    return (
        "## Calls and units\n\nOn DynamoDB Local, which tells what each call consumes.\n\n"
        + _rows(["what", "calls", "units"], rows)
        + f"\n\nThe core layer has {layer / 1e6:.1f} MB unzipped (18 at most); the largest function's code "
        + f"{function / 1000:.1f} kB zipped (20 at most)."
    )


def _others(results: Results) -> str:
    parts = [
        "## Beside others",
        "CPU of one check of a good key, and of one revoke; each in its documented default set-up.",
    ]
    names = [name for name in results.warm["check"].seconds if name != "floor"]
    head = ["who", "check, µs", "of the bare call's", "revoke, µs", "what it does differently"]
    rows = []
    for name in [*names, "floor"]:
        check, revoke = results.warm["check"], results.warm["revoke"]
        differs = results.differs.get(name, "")
        rows.append(
            [
                f"**{NAMES[name]}**" if name in NAMES else name,
                f"{check.of(name).median * 1e6:,.0f}",
                f"{check.ratio(name, 'floor').median:.2f}",
                f"{revoke.of(name).median * 1e6:,.0f}",
                differs,
            ]
        )
    return "\n\n".join([*parts, _rows(head, rows), _verdict(results)])


def _verdict(results: Results) -> str:
    check = results.warm["check"]
    own = check.of("ours").median
    others = {name: check.of(name).median for name in results.differs}
    if all(own < other for other in others.values()):
        return (
            "Our check is below all of them, although it crosses a network each time and keeps no answer. The revokes of "
            "those that change a dictionary in memory are below ours, which verifies a JWT and writes to a database."
        )
    below = [name for name, other in others.items() if other <= own]
    return f"Our check is not below {' and '.join(below)}."


def _access(results: Results) -> str:
    if not results.access:
        return ""
    head = [
        "who",
        "last accepted check ended after the revoke's success",
        "accepted checks begun after it",
        "checks, revokes",
    ]
    rows = []
    for seen in results.access:
        ended = f"{seen.last * 1000:.1f} ms" if seen.last > 0 else "none did"
        rows.append([seen.name, ended, str(seen.late), f"{seen.checks:,}, {seen.revokes}"])
    return (
        "## Time to lose access\n\nSixteen check one key without pause while it is revoked; the longest of all revokes. A check "
        "that is under way when the revoke succeeds may still accept; one that begins later must not. All of them run in one "
        "process here, on one store without replicas, and with no cache in front, which is their best case: an authorizer's "
        "cache (300 s by default on a REST API), keyshield's cache, or an eventually consistent read of a real DynamoDB each "
        "add their own time.\n\n" + _rows(head, rows)
    )


def _scale(results: Results) -> str:
    if not results.scales:
        return ""
    head = ["keys in the table", "check, units", "check, ms", "revoke, units", "revoke, ms"]
    rows = [
        [
            f"{scale.keys:,}",
            f"{scale.units['check']:g}",
            f"{scale.milliseconds['check']:.1f}",
            f"{scale.units['revoke']:g}",
            f"{scale.milliseconds['revoke']:.1f}",
        ]
        for scale in results.scales
    ]
    return (
        "## Few keys and many\n\nOn DynamoDB Local with its tables on disk, until the answer. It takes some ten minutes for a million "
        "writes, so most of the keys are put into its file, as copies of one that it has stored itself.\n\n"
        + _rows(head, rows)
    )


def _containers(results: Results) -> str:
    if not results.containers:
        return "## In SAM's containers\n\nNot measured in this run."
    head = ["what", "cold, ms", "warm, ms"]
    rows = [[name, f"{told.cold:.0f}", f"{told.warm:.1f}"] for name, told in results.containers.items()]
    [image] = {told.image for told in results.containers.values()}
    return (
        f"## In SAM's containers\n\nFrom the REPORT lines of SAM's Lambda (image: {image}), on DynamoDB Local. The emulator counts "
        "the init phase into a cold invocation, and its own overhead into all.\n\n" + _rows(head, rows)
    )


def _imports(results: Results) -> str:
    if not results.imports:
        return ""
    groups = [*GROUPS, STANDARD]
    rows = [
        [
            imports.name,
            f"**{imports.cpu:.0f}**",
            f"{imports.total:.0f}",
            *(
                f"{imports.milliseconds[group]:.0f}" if group in imports.milliseconds else ""
                for group in groups
            ),
        ]
        for imports in results.imports
    ]
    return (
        "## What a cold start imports\n\nMilliseconds, after what Lambda's runtime has imported: of CPU, and by `-X importtime`, which "
        f"are of the clock; the fastest of {TIMES} starts. Below the functions, what they do without.\n\n"
        + _rows(["who", "CPU", "by the clock", *groups], rows)
        + "\n\nDecided for each function, and held by `tests/unit/test_cold_start.py`: who is asked for no JWT imports nothing of "
        "others; who is, PyJWT and `cryptography`; who takes a JSON body, pydantic besides, which earns its time by naming every "
        "violation; GitHub's alerts, `cryptography` alone."
    )


def _parsers(results: Results) -> str:
    head = ["parser of answers", "one `GetItem` by our client, µs", "of http.client's (middle half)"]
    rows = []
    for name in results.parsers.seconds:
        ratio = results.parsers.ratio(name, "http.client")
        taken = results.parsers.of(name).median * 1e6
        rows.append([f"`{name}`", f"{taken:.0f}", f"{ratio.median:.2f} ({_half(ratio)})"])
    return "## `http.client` or `httptools`\n\n" + _rows(head, rows)


def _dollars(results: Results) -> str:
    if not results.bills:
        return ""
    head = ["a million", "Lambda", "DynamoDB", "together", "and an HTTP API", "and a REST API"]
    rows = [
        [
            f"{name}s ({bill.milliseconds} ms billed)",
            f"${bill.function:.2f}",
            f"${bill.units:.3f}",
            f"**${bill.total:.2f}**",
            f"${bill.total + prices.HTTP_API:.2f}",
            f"${bill.total + prices.REST_API:.2f}",
        ]
        for name, bill in results.bills.items()
    ]
    return (
        f"## Dollars\n\nPublished prices of {prices.REGION}, arm64, on demand, without free tiers, as of {prices.DATE}. Of measured "
        f"units, and of a duration made of the measured CPU at the {prices.PROCESSOR:.2f} of a processor that 1024 MB have and "
        f"{prices.DYNAMODB:.0f} ms for DynamoDB, which is assumed. The API's price of a check is that of the request that it guards.\n\n"
        + _rows(head, rows)
        + "\n\nWhere the prices stand:\n\n"
        + "\n".join(f"- {service}: {source}." for service, source in prices.SOURCES.items())
    )


def _how(results: Results) -> str:
    versions = "\n".join(f"- {version}" for version in results.versions)
    return f"""## How it is measured

- One good request to each capability is made on DynamoDB Local, and everything that it asks of DynamoDB is recorded. What plays it
  back is a process of its own that answers with DynamoDB's headers and sizes. The floor makes the recorded calls with boto3.
- Each subject is a process of its own. They work in turn, in another order each round, for {ROUNDS} rounds; a ratio is taken within a
  round. Figures are medians; the middle half is from the first quartile to the third.
- A cold start is the CPU from what Lambda's runtime has imported already to the first answer, over TLS, with as many certification
  authorities as a system has; {COLD_ROUNDS} of each, in turn.

Versions:

{versions}"""
