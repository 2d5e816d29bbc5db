"""Everything that one run of `make bench` finds out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.access import Access
from benchmarks.containers import Reported
from benchmarks.imports import Imports
from benchmarks.prices import Bill
from benchmarks.rounds import Measured, Spread
from benchmarks.scale import Scale
from benchmarks.stage import First
from benchmarks.work import Work

# What each may be of its floor, in CPU or memory.
WARM = {"check": 0.27, "revoke": 0.42, "issue": 0.5, "introspect": 0.5, "read": 0.5, "list of 100": 0.5}
COLD = {"check": 0.35, "revoke": 0.5}
MEMORY = {"check": 0.55, "revoke": 0.7}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        what: was measured.
        floor: what it is compared with.
        unit: of both figures.
        ours: the middle figure.
        bare: the floor's.
        ratio: in each round.
        must: be no more.
    """

    what: str
    floor: str
    unit: str
    ours: float
    bare: float
    ratio: Spread
    must: float

    @property
    def is_reached(self) -> bool:
        """Whether it is no more than it must be."""
        return self.ratio.median <= self.must


@dataclass
class Results:
    """Of one run.

    Attributes:
        work: that was measured, by name.
        warm: by name of the work; those of check and revoke have others besides.
        cold: first answers, by name of the work and who gave them.
        parsers: of one call by our client, by parser.
        scales: by size.
        access: of each.
        bills: for a million, by work.
        sizes: bytes of the core layer, unzipped, and of the largest function's code, zipped.
        containers: what REPORT lines say; empty without Docker.
        imports: of each function, and of what it might import besides.
        versions: of everything that was compared.
        differs: what others do differently, by name.
    """

    work: Mapping[str, Work]
    warm: dict[str, Measured] = field(default_factory=dict)
    cold: dict[str, dict[str, list[First]]] = field(default_factory=dict)
    parsers: Measured = field(default_factory=Measured)
    scales: list[Scale] = field(default_factory=list)
    access: list[Access] = field(default_factory=list)
    bills: dict[str, Bill] = field(default_factory=dict)
    sizes: tuple[int, int] = (0, 0)
    containers: dict[str, Reported] = field(default_factory=dict)
    imports: list[Imports] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    differs: dict[str, str] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        """Return the table."""
        found = []
        for name, must in WARM.items():
            measured = self.warm[name]
            ours, bare = measured.of("ours").median * 1e6, measured.of("floor").median * 1e6
            ratio = measured.ratio("ours", "floor")
            found.append(Row(f"{name}, warm", self._floor(name), "µs", ours, bare, ratio, must))
        for name, must in COLD.items():
            found.append(self._first(name, "cold start to the first answer", "ms", must))
        for name, must in MEMORY.items():
            found.append(self._first(name, "memory of the process", "MB", must))
        return found

    def _floor(self, name: str) -> str:
        calls = " + ".join(f"`{call.operation}`" for call in self.work[name].calls)
        return ("PyJWT decode + " if self.work[name].token else "") + f"boto3 {calls}"

    def _first(self, name: str, what: str, unit: str, must: float) -> Row:
        def figure(first: First) -> float:
            return first.seconds * 1000 if unit == "ms" else first.kib * 1024 / 1e6

        ours = [figure(first) for first in self.cold[name]["ours"]]
        bare = [figure(first) for first in self.cold[name]["floor"]]
        ratio = Spread([own / other for own, other in zip(ours, bare, strict=True)])
        floor = "boto3's client" + (", PyJWT and `cryptography`" if self.work[name].token else "")
        return Row(f"{name}, {what}", floor, unit, Spread(ours).median, Spread(bare).median, ratio, must)
