"""All schedules of requests that meet: every order of their calls, and every way in which a call can fail.

A schedule is a sequence of steps, and a step is what happens to one call to DynamoDB of one of the requests:

- it is applied and answered;
- it gets no answer and is in the air: it is applied at a later step (the next one: the answer was lost; one after that:
  the write was late) or never. DynamoDB's client then repeats it, or gives up;
- the function dies there, its calls in the air;
- after an answer or a death, the client may send its request again, which makes calls of its own.

A request begins with its first call and is answered with its last: the strictest reading of "a check that begins after
the answer". Choices that change nothing are left out: a read in the air is the same as none.

Two schedules that lead to the same state (the same tables, each request having been told the same, the same facts
known, the same in the air) go on in the same ways. So a state is explored once, and the schedules that lead to it are
counted. Nothing else is left out: each state of each schedule is seen, and held against the promises.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.dynamodb_model.model import DynamoDbModel
from tests.interleavings.promises import Answer, Broken, Facts, Promises, items_of
from tests.interleavings.scene import Scene
from tests.interleavings.stack import (
    BEGINNING,
    NO_ANSWER,
    Call,
    Ended,
    History,
    Outcome,
    Request,
    apply,
    told,
)

READY, OVER = 0, 1
# What may happen to a call, or a client.
ANSWERED, GIVEN_UP, REPEATED, DIED, LATE, AGAIN = range(6)
DECIDING = (
    "expiresAt",
    "replacedBy",
    "revokedAt",
)  # what a schedule shows of an update, where it has any of them
KNOWING = (
    "check",
    "rotate",
    "revoke all",
    "list",
)  # whose answer is held against what was known when they began


class Client(NamedTuple):
    """Where a client's request is.

    Args:
        attempt: how often it was sent before.
        phase: READY for its next call, or OVER.
        history: what it was told.
        began: the facts when it began.
    """

    attempt: int
    phase: int
    history: int
    began: int


class State(NamedTuple):
    """All that decides how a schedule can go on."""

    tables: int
    clients: tuple[Client, ...]
    in_the_air: tuple[int, ...]
    faults: int
    retries: int
    facts: int


class Step(NamedTuple):
    """A step: whose, what happens, and to which call."""

    who: int
    what: int
    call: int = -1


class Numbers[T]:
    """Gives equal things equal numbers."""

    def __init__(self) -> None:
        self.things: list[T] = []
        self._numbers: dict[T, int] = {}

    def of(self, thing: T) -> int:
        number = self._numbers.setdefault(thing, len(self.things))
        if number == len(self.things):
            self.things.append(thing)
        return number


@dataclass
class Ledger:
    """What was found out about tables and calls: equal for all explorations of a scene."""

    calls: Numbers[Call] = field(default_factory=Numbers)
    outcomes: Numbers[Outcome] = field(default_factory=Numbers)
    histories: Numbers[History] = field(default_factory=Numbers)
    facts: Numbers[Facts] = field(default_factory=Numbers)
    fingerprints: Numbers[str] = field(default_factory=Numbers)
    tables: dict[int, DynamoDbModel] = field(default_factory=dict)
    applied: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def number_of(self, tables: DynamoDbModel) -> int:
        """Return the number of tables with these items."""
        content = {name: sorted(items.items()) for name, items in tables.tables.items()}
        number = self.fingerprints.of(json.dumps(content, sort_keys=True, default=str))
        self.tables.setdefault(number, tables)
        return number

    def apply(self, tables: int, call: int) -> tuple[int, int]:
        """Return the numbers of the tables after a call and of what it says."""
        found = self.applied.get((tables, call))
        if found is None:
            after = self.tables[tables].copy()
            outcome = apply(after, self.calls.things[call])
            found = self.applied[tables, call] = (self.number_of(after), self.outcomes.of(outcome))
        return found

    def told(self, history: int, call: int, outcome: int) -> int:
        """Return the number of a history that goes on with the outcome of a call."""
        return self.histories.of(
            told(self.histories.things[history], self.calls.things[call], self.outcomes.things[outcome])
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was explored."""

    schedules: int = 0
    states: int = 0
    steps: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        """Count both."""
        return Counts(self.schedules + other.schedules, self.states + other.states, self.steps + other.steps)


class BrokenPromise(AssertionError):
    """Raised with the shortest schedule in which a promise is broken.

    Args:
        promise: which.
        schedule: its steps, a line each.
    """

    def __init__(self, promise: str, schedule: list[str]) -> None:
        super().__init__("\n".join([promise, *schedule]))
        self.promise = promise
        self.schedule = schedule


class Explorer:
    """Explores all schedules of some requests.

    Args:
        scene: in which they meet.
        ledger: of that scene.
        requests: one for each client.
        faults: how many calls go without an answer, or functions die, in a schedule at most.
        retries: how often a client sends its request again, in a schedule at most.
    """

    def __init__(
        self,
        scene: Scene,
        ledger: Ledger,
        requests: tuple[Request, ...],
        *,
        faults: int = 1,
        retries: int = 1,
    ) -> None:
        self._stack, self._ledger, self._requests = scene.stack, ledger, requests
        self._scene, self._faults, self._retries = scene, faults, retries
        self._promises = Promises(scene, requests)
        self._steps: dict[tuple[int, int, int], tuple[int, ...] | Ended] = {}
        self._seen: set[tuple[Any, ...]] = set()
        self._at: tuple[State, Step] | None = None

    def explore(self) -> Counts:
        """Explore them, the shortest first.

        Raises:
            BrokenPromise: with the first, and so shortest, in which a promise is broken.
        """
        try:
            return self._explore(None)
        except Broken:
            self._seen.clear()
        # Once more, and remember how it came to that, for which all of them would need much memory.
        origins: dict[State, tuple[State, Step]] = {}
        try:
            self._explore(origins)
        except Broken as broken:
            raise BrokenPromise(str(broken), self._told(origins)) from None
        raise AssertionError("not the same again: a handler remembers something")

    def _explore(self, origins: dict[State, tuple[State, Step]] | None) -> Counts:
        facts = self._ledger.facts.of(self._promises.of_the_start())
        clients = tuple(Client(0, READY, self._ledger.histories.of(BEGINNING), -1) for _ in self._requests)
        tables = self._ledger.number_of(self._scene.tables)
        # All that are a number of steps from the start, and in how many ways each is reached.
        layer = {State(tables, clients, (), self._faults, self._retries, facts): 1}
        counts = Counts()
        while layer:
            following: dict[State, int] = {}
            over = taken = 0
            for state, schedules in layer.items():
                if self._is_over(state):
                    over += schedules
                for after, step in self._steps_from(state):
                    taken += 1
                    following[after] = following.get(after, 0) + schedules
                    if origins is not None:
                        origins.setdefault(after, (state, step))
            counts += Counts(over, len(layer), taken)
            layer = following
        return counts

    def _is_over(self, state: State) -> bool:
        """Tell whether a schedule may end here, its clients content and what is in the air lost."""
        return all(client.phase == OVER for client in state.clients)

    def _steps_from(self, state: State) -> Iterator[tuple[State, Step]]:
        for step in self._steps_at(state):
            self._at = (state, step)
            after = self._take(state, step)
            self._hold(state, after)
            yield after, step

    def _steps_at(self, state: State) -> Iterator[Step]:
        for who, client in enumerate(state.clients):
            if client.phase == OVER:
                if state.retries:
                    yield Step(who, AGAIN)
                continue
            under_way = self._step(who, client.attempt, client.history)
            assert not isinstance(under_way, Ended)
            for call in under_way:
                yield Step(who, ANSWERED, call)
                if state.faults:
                    yield Step(who, GIVEN_UP, call)
                    if self._writes(call):
                        yield Step(who, REPEATED, call)
            if state.faults:
                yield Step(who, DIED)
        for call in sorted(set(state.in_the_air)):
            yield Step(-1, LATE, call)

    def _take(self, state: State, step: Step) -> State:
        """Return the state after a step.

        Raises:
            Broken: if an answer that it brings is not a true one.
        """
        ledger = self._ledger
        if step.what == LATE:
            tables, _ = ledger.apply(state.tables, step.call)
            rest = list(state.in_the_air)
            rest.remove(step.call)
            return state._replace(tables=tables, in_the_air=tuple(rest))
        client = state.clients[step.who]
        if step.what == AGAIN:
            again = Client(client.attempt + 1, READY, ledger.histories.of(BEGINNING), -1)
            return _with(state, step.who, again)._replace(retries=state.retries - 1)
        if client.began < 0:
            kind = self._requests[step.who].kind
            client = client._replace(began=state.facts if kind in KNOWING else 0)
        if step.what == ANSWERED:
            tables, outcome = ledger.apply(state.tables, step.call)
            return self._told_of(state._replace(tables=tables), step.who, client, step.call, outcome)
        lost = self._step(step.who, client.attempt, client.history) if step.what == DIED else (step.call,)
        assert not isinstance(lost, Ended)
        in_the_air = sorted([*state.in_the_air, *filter(self._writes, lost)])
        state = state._replace(in_the_air=tuple(in_the_air), faults=state.faults - 1)
        if step.what == GIVEN_UP:
            return self._told_of(state, step.who, client, step.call, ledger.outcomes.of(NO_ANSWER))
        if step.what == REPEATED:
            return _with(state, step.who, client)
        name, request = _name(step.who, client.attempt), self._requests[step.who]
        facts = self._promises.after_a_stop(name, request, ledger.facts.things[state.facts])
        over = Client(client.attempt, OVER, 0, -1)
        return _with(state, step.who, over)._replace(facts=ledger.facts.of(facts))

    def _writes(self, call: int) -> bool:
        return self._ledger.calls.things[call].writes

    def _told_of(self, state: State, who: int, client: Client, call: int, outcome: int) -> State:
        """Return the state after a request was told of a call: it waits with the next, or is answered."""
        ledger = self._ledger
        history = ledger.told(client.history, call, outcome)
        found = self._step(who, client.attempt, history)
        if not isinstance(found, Ended):
            return _with(state, who, client._replace(history=history))
        answer = Answer(
            _name(who, client.attempt),
            self._requests[who],
            ledger.facts.things[client.began],
            ledger.histories.things[history],
            found,
            items_of(ledger.tables[state.tables]),
        )
        facts = self._promises.after(answer, ledger.facts.things[state.facts])
        over = Client(client.attempt, OVER, 0, -1)
        return _with(state, who, over)._replace(facts=ledger.facts.of(facts))

    def _step(self, who: int, attempt: int, history: int) -> tuple[int, ...] | Ended:
        """Return what a request does next: the numbers of the calls that it waits for, or its answer."""
        place = (who, attempt, history)
        if place not in self._steps:
            told_so_far = self._ledger.histories.things[history]
            step = self._scene.stack.step(_name(who, attempt), self._requests[who], told_so_far)
            self._steps[place] = step if isinstance(step, Ended) else tuple(map(self._ledger.calls.of, step))
        return self._steps[place]

    def _hold(self, before: State, after: State) -> None:
        """Hold a step against the promises, each thing once.

        Raises:
            Broken: if one is broken.
        """
        tables, facts = self._ledger.tables[after.tables], self._ledger.facts.things[after.facts]
        if before.tables != after.tables and self._is_new("change", before.tables, after.tables):
            self._promises.hold_for_change(self._ledger.tables[before.tables], tables)
            self._promises.hold_for_tables(tables)
        if self._is_new("checks", after.tables, after.facts):
            self._promises.hold_for_checks(tables, facts)
        if self._is_over(after) and self._is_new("end", after.tables, after.facts):
            self._promises.hold_for_the_end(tables, facts)

    def _is_new(self, *what: Any) -> bool:
        is_new = what not in self._seen
        self._seen.add(what)
        return is_new

    def _told(self, origins: dict[State, tuple[State, Step]]) -> list[str]:
        """Return the schedule that led to where we are, a line for each step."""
        steps, place = [], self._at
        while place:
            state, step = place
            steps.append(self._line(state, step))
            place = origins.get(state)
        return [f"{number:2}. {line}" for number, line in enumerate(reversed(steps), 1)]

    def _line(self, state: State, step: Step) -> str:
        ledger = self._ledger
        if step.what == AGAIN:
            return f"{self._client(step.who, state)}: sends its request again"
        if step.what == DIED:
            return f"{self._client(step.who, state)}: the function dies, its calls in the air"
        call = ledger.calls.things[step.call]
        _, outcome = ledger.apply(state.tables, step.call)
        said = ledger.outcomes.things[outcome].kind
        what = {
            ANSWERED: said,
            GIVEN_UP: "no answer, and DynamoDB's client gives up",
            REPEATED: "no answer, and DynamoDB's client repeats it",
            LATE: f"now applied: {said}",
        }[step.what]
        line = f"{self._client(step.who, state)}: {self._described(call)}: {what}"
        if step.what in (ANSWERED, GIVEN_UP):
            client = state.clients[step.who]
            said_to_it = outcome if step.what == ANSWERED else ledger.outcomes.of(NO_ANSWER)
            history = ledger.told(client.history, step.call, said_to_it)
            found = self._step(step.who, client.attempt, history)
            if isinstance(found, Ended):
                line += f" -> answered {found.status}"
        return line

    def _client(self, who: int, state: State) -> str:
        if who < 0:
            return "in the air"
        again = " (again)" if state.clients[who].attempt else ""
        return f"{'abc'[who]}, {self._requests[who].name}{again}"

    def _described(self, call: Call) -> str:
        request = json.loads(call.request)
        table = request.get("TableName") or next(iter(request["RequestItems"]))
        key = request.get("Key") or request.get("Item") or {}
        # Of a listing's entry, the id that it ends with.
        ids = [key[name]["S"].split(" ")[-1] for name in ("keyId", "id", "position") if name in key]
        names = " ".join(self._promises.name(id_) for id_ in ids)
        assigned = sorted(re.findall(r"(\w+) =", request.get("UpdateExpression", "")))
        shown = ", ".join([name for name in assigned if name in DECIDING] or assigned)
        words = (call.operation, table.removesuffix("Table"), names, shown and f"SET {shown}")
        return " ".join(word for word in words if word)


def _with(state: State, who: int, client: Client) -> State:
    clients = (*state.clients[:who], client, *state.clients[who + 1 :])
    return state._replace(clients=clients)


def _name(who: int, attempt: int) -> str:
    """Return what tells a sent request from all others: other names draw other random numbers."""
    return f"client {who}, time {attempt}"
