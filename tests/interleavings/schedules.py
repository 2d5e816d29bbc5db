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
    """All that decides how a schedule can go on; what is in the air in order, so that equal is equal."""

    tables: int
    clients: tuple[int, ...]
    in_the_air: tuple[int, ...]
    faults: int
    retries: int
    facts: int


class Step(NamedTuple):
    """A step: whose, what happens, and to which call."""

    who: int
    what: int
    call: int = -1


class Move(NamedTuple):
    """What a client's step changes, whatever the others do: tables, client and facts, and what it takes and leaves."""

    step: Step
    tables: int
    client: int
    facts: int
    left_in_the_air: tuple[int, ...] = ()
    faults: int = 0
    retries: int = 0


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
        self._clients: Numbers[Client] = Numbers()
        self._over: set[int] = set()
        self._steps: dict[tuple[int, int, int], tuple[int, ...] | Ended] = {}
        self._moves: dict[tuple[int, ...], list[Move]] = {}
        self._late: dict[tuple[int, int, int], int] = {}
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
            for known in (self._seen, self._moves, self._late):
                known.clear()
        # Once more, and remember how it came to that, for which all of them would need much memory.
        origins: dict[State, tuple[State, Step]] = {}
        try:
            self._explore(origins)
        except Broken as broken:
            raise BrokenPromise(str(broken), self._told(origins)) from None
        raise AssertionError("not the same again: a handler remembers something")

    def _explore(self, origins: dict[State, tuple[State, Step]] | None) -> Counts:
        facts = self._ledger.facts.of(self._promises.of_the_start())
        first = self._client(Client(0, READY, self._ledger.histories.of(BEGINNING), -1))
        tables = self._ledger.number_of(self._scene.tables)
        start = State(tables, (first,) * len(self._requests), (), self._faults, self._retries, facts)
        # All that are a number of steps from the start, and in how many ways each is reached.
        layer = {start: 1}
        counts = Counts()
        while layer:
            following: dict[State, int] = {}
            over = taken = 0
            for state, schedules in layer.items():
                # A schedule may end where all clients are content, and what is in the air is lost.
                if self._over.issuperset(state.clients):
                    over += schedules
                    self._at = (origins or {}).get(state)
                    self._hold_at_the_end(state)
            for state, schedules in layer.items():
                for after, step in self._steps_from(state):
                    taken += 1
                    following[after] = following.get(after, 0) + schedules
                    if origins is not None:
                        origins.setdefault(after, (state, step))
            counts += Counts(over, len(layer), taken)
            layer = following
        return counts

    def _client(self, client: Client) -> int:
        number = self._clients.of(client)
        if client.phase == OVER:
            self._over.add(number)
        return number

    def _steps_from(self, state: State) -> Iterator[tuple[State, Step]]:
        tables, clients, in_the_air, faults, retries, facts = state
        for who, client in enumerate(clients):
            place = (who, client, tables, facts, faults > 0, retries > 0)
            moves = self._moves.get(place)
            if moves is None:
                moves = self._moves[place] = list(self._moves_of(who, state))
            for step, then, become, known, left, taken, again in moves:
                others = (*clients[:who], become, *clients[who + 1 :])
                in_air = tuple(sorted(in_the_air + left)) if left else in_the_air
                yield State(then, others, in_air, faults - taken, retries - again, known), step
        for number, call in enumerate(in_the_air):
            if call not in in_the_air[:number]:
                late, rest = self._late_in(state, call), in_the_air[:number] + in_the_air[number + 1 :]
                yield State(late, clients, rest, faults, retries, facts), Step(-1, LATE, call)

    def _late_in(self, state: State, call: int) -> int:
        """Return the tables once a call that was in the air is applied."""
        place = (state.tables, call, state.facts)
        if place not in self._late:
            self._at = (state, Step(-1, LATE, call))
            tables, _ = self._ledger.apply(state.tables, call)
            self._hold(state.tables, tables, state.facts)
            self._late[place] = tables
        return self._late[place]

    def _moves_of(self, who: int, state: State) -> Iterator[Move]:
        """Yield what a client may do: all of it depends on the client, the tables and the facts alone.

        Raises:
            Broken: if a promise is broken by it.
        """
        client = self._clients.things[state.clients[who]]
        for step in self._steps_at(who, client, state):
            self._at = (state, step)
            move = self._take(client, step, state.tables, state.facts)
            self._hold(state.tables, move.tables, move.facts)
            yield move

    def _steps_at(self, who: int, client: Client, state: State) -> Iterator[Step]:
        if client.phase == OVER:
            if state.retries:
                yield Step(who, AGAIN)
            return
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

    def _take(self, client: Client, step: Step, tables: int, facts: int) -> Move:
        """Return what a client's step changes.

        Raises:
            Broken: if an answer that it brings is not a true one.
        """
        ledger = self._ledger
        if step.what == AGAIN:
            again = Client(client.attempt + 1, READY, ledger.histories.of(BEGINNING), -1)
            return Move(step, tables, self._client(again), facts, retries=1)
        if client.began < 0:
            kind = self._requests[step.who].kind
            client = client._replace(began=facts if kind in KNOWING else 0)
        if step.what == ANSWERED:
            tables, outcome = ledger.apply(tables, step.call)
            return self._told_of(client, step, outcome, tables, facts)
        lost = self._step(step.who, client.attempt, client.history) if step.what == DIED else (step.call,)
        assert not isinstance(lost, Ended)
        left = tuple(filter(self._writes, lost))
        if step.what == GIVEN_UP:
            move = self._told_of(client, step, ledger.outcomes.of(NO_ANSWER), tables, facts)
        elif step.what == REPEATED:
            move = Move(step, tables, self._client(client), facts)
        else:
            name, request = _name(step.who, client.attempt), self._requests[step.who]
            known = self._promises.after_a_stop(name, request, ledger.facts.things[facts])
            over = self._client(Client(client.attempt, OVER, 0, -1))
            move = Move(step, tables, over, ledger.facts.of(known))
        return move._replace(left_in_the_air=left, faults=1)

    def _writes(self, call: int) -> bool:
        return self._ledger.calls.things[call].writes

    def _told_of(self, client: Client, step: Step, outcome: int, tables: int, facts: int) -> Move:
        """Return what changes once a request was told of a call: it waits with the next, or is answered."""
        ledger, who = self._ledger, step.who
        history = ledger.told(client.history, step.call, outcome)
        found = self._step(who, client.attempt, history)
        if not isinstance(found, Ended):
            return Move(step, tables, self._client(client._replace(history=history)), facts)
        answer = Answer(
            _name(who, client.attempt),
            self._requests[who],
            ledger.facts.things[client.began],
            ledger.histories.things[history],
            found,
            items_of(ledger.tables[tables]),
        )
        known = self._promises.after(answer, ledger.facts.things[facts])
        return Move(step, tables, self._client(Client(client.attempt, OVER, 0, -1)), ledger.facts.of(known))

    def _step(self, who: int, attempt: int, history: int) -> tuple[int, ...] | Ended:
        """Return what a request does next: the numbers of the calls that it waits for, or its answer."""
        place = (who, attempt, history)
        if place not in self._steps:
            told_so_far = self._ledger.histories.things[history]
            step = self._scene.stack.step(_name(who, attempt), self._requests[who], told_so_far)
            self._steps[place] = step if isinstance(step, Ended) else tuple(map(self._ledger.calls.of, step))
        return self._steps[place]

    def _hold(self, before: int, after: int, known: int) -> None:
        """Hold a step against the promises, each thing once.

        Raises:
            Broken: if one is broken.
        """
        tables, facts = self._ledger.tables[after], self._ledger.facts.things[known]
        if before != after and self._is_new("change", before, after):
            self._promises.hold_for_change(self._ledger.tables[before], tables)
            self._promises.hold_for_tables(tables)
        if self._is_new("checks", after, known):
            self._promises.hold_for_checks(tables, facts)

    def _hold_at_the_end(self, state: State) -> None:
        if self._is_new("end", state.tables, state.facts):
            tables, facts = self._ledger.tables[state.tables], self._ledger.facts.things[state.facts]
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
            return f"{self._who(step.who, state)}: sends its request again"
        if step.what == DIED:
            return f"{self._who(step.who, state)}: the function dies, its calls in the air"
        call = ledger.calls.things[step.call]
        _, outcome = ledger.apply(state.tables, step.call)
        said = ledger.outcomes.things[outcome].kind
        what = {
            ANSWERED: said,
            GIVEN_UP: "no answer, and DynamoDB's client gives up",
            REPEATED: "no answer, and DynamoDB's client repeats it",
            LATE: f"now applied: {said}",
        }[step.what]
        line = f"{self._who(step.who, state)}: {self._described(call)}: {what}"
        if step.what in (ANSWERED, GIVEN_UP):
            client = self._clients.things[state.clients[step.who]]
            said_to_it = outcome if step.what == ANSWERED else ledger.outcomes.of(NO_ANSWER)
            history = ledger.told(client.history, step.call, said_to_it)
            found = self._step(step.who, client.attempt, history)
            if isinstance(found, Ended):
                line += f" -> answered {found.status}"
        return line

    def _who(self, who: int, state: State) -> str:
        if who < 0:
            return "in the air"
        again = " (again)" if self._clients.things[state.clients[who]].attempt else ""
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


def _name(who: int, attempt: int) -> str:
    """Return what tells a sent request from all others: other names draw other random numbers."""
    return f"client {who}, time {attempt}"
