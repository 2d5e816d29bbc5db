"""Subjects in processes of their own, measured in turn, round after round: what disturbs one disturbs all."""

import os
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer

from local.template import ROOT

LAYER = ROOT / "layers" / "core"
PATIENCE = 120  # seconds for one answer of a subject
BATCH = 0.05  # seconds of CPU that a subject works for in a round


def environment() -> dict[str, str]:
    """Return what every subject starts with: the layer as on Lambda, and nothing that the shell has of AWS."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    return own | {"PYTHONPATH": str(LAYER)}


class Subject:
    """A process that repeats one piece of work.

    Args:
        name: for people.
        command: that it is.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(  # noqa: S603 -- our own words
            command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._times = 1

    def start(self) -> None:
        """Wait until it is ready, and find out how often it does its work in a batch."""
        self._line()
        self._times = max(1, round(BATCH / max(self.measure(), 1e-6)))

    def measure(self) -> float:
        """Return the CPU seconds that its work takes, from one batch."""
        incoming = self._process.stdin
        assert incoming  # noqa: S101 -- for the type checker
        incoming.write(f"{self._times}\n")
        incoming.flush()
        return float(self._line())

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        outgoing = self._process.stdout
        assert outgoing  # noqa: S101 -- for the type checker
        watchdog = Timer(PATIENCE, self._process.kill)
        watchdog.start()
        try:
            line = outgoing.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise RuntimeError(f"{self.name}: ended before it told anything")
        return line


@dataclass(frozen=True, slots=True)
class Spread:
    """What many rounds say.

    Args:
        values: one a round.
    """

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def quarters(self) -> tuple[float, float]:
        """Between which the middle half of them is."""
        low, _, high = statistics.quantiles(self.values, method="inclusive")
        return low, high


@dataclass
class Measured:
    """One piece of work, by whom it was done.

    Attributes:
        seconds: of CPU, by subject, one a round.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def of(self, subject: str) -> Spread:
        """Return what a subject took, in seconds."""
        return Spread(self.seconds[subject])

    def ratio(self, subject: str, floor: str) -> Spread:
        """Return how much of the floor's time a subject took, in each round."""
        pairs = zip(self.seconds[subject], self.seconds[floor], strict=True)
        return Spread([own / bare for own, bare in pairs])


@contextmanager
def running(commands: Mapping[str, Sequence[str]]) -> Iterator[list[Subject]]:
    """Run subjects, from when all are ready until the block ends.

    Args:
        commands: by subject.
    """
    subjects = []
    try:
        subjects += [Subject(name, command) for name, command in commands.items()]
        for subject in subjects:
            subject.start()
        yield subjects
    finally:
        for subject in subjects:
            subject.stop()


def measure(commands: Mapping[str, Sequence[str]], rounds: int) -> Measured:
    """Measure subjects in turn, in another order in each round.

    Args:
        commands: by subject.
        rounds: how many.
    """
    measured = Measured({name: [] for name in commands})
    with running(commands) as subjects:
        for _ in range(rounds):
            for subject in random.sample(subjects, len(subjects)):
                measured.seconds[subject.name].append(subject.measure())
    return measured


def python(module: str, *arguments: str, interpreter: str = sys.executable) -> list[str]:
    """Return the command of a subject in Python.

    Args:
        module: of this package.
        arguments: for it.
        interpreter: of the environment to run in.
    """
    return [interpreter, "-m", f"benchmarks.{module}", *arguments]
