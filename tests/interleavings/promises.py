"""What must be true: of every answer, of every state of the tables, of every change to them, and in the end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from apikeys.records import Item, timestamp
from tests.deployment import NOW
from tests.dynamodb_model.model import DynamoDbModel
from tests.interleavings.scene import Scene
from tests.interleavings.stack import NO_ANSWER, Ended, History, Request, key_of, text_of

KEYS, LISTINGS = "ApiKeysTable", "ListingsTable"
FIXED = {"keyId", "applicationId", "ownerId", "hash", "name", "start", "scopes", "createdAt", "createdBy"}
MAKING, ENDING = ("issue", "rotate"), ("rotate", "revoke")


class Broken(Exception):
    """Raised where a promise is broken; its text says which."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the clients know.

    Args:
        dead: keys whose end was answered with a success.
        handed_out: keys whose string somebody was given.
        unseen: keys that may exist although nobody was given their string: their request was stopped, or answered 503.
        rotated: keys whose rotation was answered with a success.
    """

    dead: frozenset[str] = frozenset()
    handed_out: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    rotated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and what it is held against.

    Args:
        who: gets it.
        request: that it is to.
        began: what was known when the request began.
        history: what the handler was told.
        ended: what it answered.
        items: of all keys, as they are now.
    """

    who: str
    request: Request
    began: Facts
    history: History
    ended: Ended
    items: Mapping[str, Item]

    @property
    def new_id(self) -> str:
        """Id of the key that the request makes, if it makes one."""
        return key_of(self.who).key_id


class Promises:
    """The promises, of a scene in which these requests meet.

    Args:
        scene: where they meet.
        requests: that do.
    """

    def __init__(self, scene: Scene, requests: tuple[Request, ...]) -> None:
        self._scene = scene
        self._initial = items_of(scene.tables)
        all_of_a = any(request.kind == "revoke all" for request in requests)
        ended = {request.key_id for request in requests if request.kind in ENDING}
        ended |= set(scene.hers if all_of_a else ())
        self._spared = scene.keys.keys() - ended
        self._unnamed = self._spared - {request.key_id for request in requests}
        self._spares_new_ones = not all_of_a
        self._strings = dict(scene.keys)
        self._verdicts: dict[tuple[str, str], bool] = {}

    def of_the_start(self) -> Facts:
        """Return what is known before anything happens."""
        return Facts(handed_out=frozenset(self._scene.keys))

    def hold_for_change(self, before: DynamoDbModel, after: DynamoDbModel) -> None:
        """Hold a change to the tables against the promises.

        Raises:
            Broken: if a key is lost, comes back, or changes in what never changes.
        """
        old, new = items_of(before), items_of(after)
        for key_id, was in old.items():
            name, item = self.name(key_id), new.get(key_id)
            if item is None:
                raise Broken(f"{name} is gone")
            if item == was:
                continue
            if key_id in self._unnamed:
                raise Broken(f"{name} was changed, and nobody asked for that")
            changed = {a for a in {*was, *item} if was.get(a) != item.get(a)}
            if "revokedAt" in was and (changed != {"revokedReason"} or "revokedReason" in was):
                raise Broken(f"{name} was revoked, and then {', '.join(sorted(changed))} of it changed")
            if fixed := changed & FIXED:
                raise Broken(f"{name}: {', '.join(sorted(fixed))} changed")
            if "replacedBy" in was and "replacedBy" in changed:
                raise Broken(f"{name} has a second successor")
        for key_id, item in new.items():
            if key_id not in old and not item.keys() >= FIXED:
                raise Broken(f"{self.name(key_id)} came into being by an update")

    def hold_for_tables(self, tables: DynamoDbModel) -> None:
        """Hold the tables, as they may be left by a stop at any moment, against the promises.

        Raises:
            Broken: if a key is in no list, or has a successor that does not exist.
        """
        listed = {
            (e["list"]["S"], e["position"]["S"].split(" ")[1]) for e in tables.tables[LISTINGS].values()
        }
        items = items_of(tables)
        for key_id, item in items.items():
            if (f"keys of {item['applicationId']['S']}", key_id) not in listed:
                raise Broken(f"{self.name(key_id)} exists and is in no list")
            if "replacedBy" in item and item["replacedBy"]["S"] not in items:
                raise Broken(f"{self.name(key_id)} has ended, and its successor does not exist")

    def hold_for_checks(self, tables: DynamoDbModel, facts: Facts) -> None:
        """Hold the verdicts of checks that would begin now against the promises.

        Raises:
            Broken: if one accepted a key that was ended, or refused one that was not.
        """
        items = items_of(tables)
        for key_id in facts.dead:
            if self._accepts(key_id, items, tables):
                raise Broken(f"{self.name(key_id)} was revoked, that was answered, and a check accepts it")
        new_ones = facts.handed_out - self._scene.keys.keys() if self._spares_new_ones else set()
        for key_id in self._spared | new_ones:
            if not self._accepts(key_id, items, tables):
                raise Broken(f"a check refuses {self.name(key_id)}, which nobody ended")

    def hold_for_the_end(self, tables: DynamoDbModel, facts: Facts) -> None:
        """Hold what is left when all is over against the promises.

        Raises:
            Broken: if a key is active that nobody should have.
        """
        for key_id, item in items_of(tables).items():
            if "revokedAt" not in item and key_id not in facts.handed_out | facts.unseen:
                raise Broken(f"{self.name(key_id)} is active, and nobody was told")

    def after_a_stop(self, who: str, request: Request, facts: Facts) -> Facts:
        """Return what is known when a function has died."""
        if request.kind in MAKING:
            return replace(facts, unseen=facts.unseen | {key_of(who).key_id})
        return facts

    def after(self, answer: Answer, facts: Facts) -> Facts:
        """Hold an answer against the promises, and return what is known from then on.

        Args:
            answer: the answer.
            facts: what was known until now.

        Raises:
            Broken: if it is not a true one.
        """
        if answer.ended.status in (503, "fault"):
            if all(outcome != NO_ANSWER for _, _, outcome in answer.history):
                raise Broken(
                    f"{answer.request.name}: {answer.ended.status}, although DynamoDB answered every call"
                )
            return self.after_a_stop(answer.who, answer.request, facts)
        judges = {
            ("check", "accepted"): self._after_accepting,
            ("check", "refused"): self._after_refusing,
            ("issue", 201): self._after_issuing,
            ("rotate", 201): self._after_rotating,
            ("rotate", 409): self._after_not_rotating,
            ("revoke", 200): self._after_revoking,
            ("revoke all", 200): self._after_revoking_all,
            ("list", 200): self._after_listing,
        }
        judge = judges.get((answer.request.kind, answer.ended.status))
        if not judge:
            raise Broken(f"{answer.request.name}: {answer.ended.status} {answer.ended.text}")
        return judge(answer, facts)

    def _after_accepting(self, answer: Answer, facts: Facts) -> Facts:
        if answer.request.key_id in answer.began.dead:
            name = self.name(answer.request.key_id)
            raise Broken(f"{name} was revoked, that was answered, and a check that began later accepts it")
        return facts

    def _after_refusing(self, answer: Answer, facts: Facts) -> Facts:
        if answer.request.key_id in self._spared:
            raise Broken(f"a check refuses {self.name(answer.request.key_id)}, which nobody ended")
        return facts

    def _after_issuing(self, answer: Answer, facts: Facts) -> Facts:
        self._strings[answer.new_id] = answer.ended.body["key"]
        return replace(facts, handed_out=facts.handed_out | {answer.new_id})

    def _after_rotating(self, answer: Answer, facts: Facts) -> Facts:
        key_id, name = answer.request.key_id, self.name(answer.request.key_id)
        if key_id in answer.began.dead | facts.rotated:
            raise Broken(f"{name} has ended, and was rotated all the same")
        old = answer.items[key_id]
        if old.get("replacedBy") != {"S": answer.new_id}:
            raise Broken(f"{name} was rotated, and its successor is another")
        until = timestamp(NOW + timedelta(seconds=answer.request.overlap))
        if "revokedAt" not in old and ("expiresAt" not in old or old["expiresAt"]["S"] > until):
            raise Broken(f"{name} was rotated, and works longer than was asked for")
        facts = self._after_issuing(answer, facts)
        dead = facts.dead if answer.request.overlap else facts.dead | {key_id}
        return replace(facts, dead=dead, rotated=facts.rotated | {key_id})

    def _after_not_rotating(self, answer: Answer, facts: Facts) -> Facts:
        new, key_id = answer.items.get(answer.new_id), answer.request.key_id
        if new and "revokedAt" not in new:
            raise Broken(f"the rotation was refused, and {self.name(answer.new_id)} is active")
        old = answer.items[key_id]
        if old == self._initial[key_id]:
            raise Broken(f"the rotation was refused, and {self.name(key_id)} is as it was")
        if old.get("replacedBy") == {"S": answer.new_id}:
            raise Broken(f"the rotation was refused, and {self.name(key_id)} was rotated by it")
        return facts

    def _after_revoking(self, answer: Answer, facts: Facts) -> Facts:
        return replace(facts, dead=facts.dead | {answer.request.key_id})

    def _after_revoking_all(self, answer: Answer, facts: Facts) -> Facts:
        mark = {"S": text_of(answer.who, 8)}
        marked = [item for item in answer.items.values() if item.get("revokedIn") == mark]
        if len(marked) != answer.ended.body["revoked"]:
            raise Broken(f"{answer.request.name}: {answer.ended.text}, and it revoked {len(marked)}")
        return replace(facts, dead=facts.dead | self._of_a(answer))

    def _after_listing(self, answer: Answer, facts: Facts) -> Facts:
        shown = {key["id"]: key["status"] for key in answer.ended.body["items"]}
        for key_id in self._of_a(answer):
            if key_id not in shown:
                raise Broken(f"{self.name(key_id)} was issued, and a list that began later does not show it")
        for key_id in answer.began.dead & shown.keys():
            if shown[key_id] != "revoked":
                name = self.name(key_id)
                raise Broken(f"{name} was revoked, and a list that began later calls it {shown[key_id]}")
        return facts

    def _of_a(self, answer: Answer) -> set[str]:
        """Return the keys of the application that were handed out before this request began."""
        application = {"S": self._scene.application}
        return {i for i in answer.began.handed_out if answer.items[i]["applicationId"] == application}

    def name(self, id_: str) -> str:
        """Return what people call an id."""
        return self._scene.names.get(id_, f"a new key ({id_[:8]})")

    def _accepts(self, key_id: str, items: dict[str, Item], tables: DynamoDbModel) -> bool:
        """Tell what the authorizer says, who only looks at the key's item."""
        place = (key_id, str(items.get(key_id)))
        if place not in self._verdicts:
            event = self._scene.presenting(self._strings[key_id])
            check = Request(f"check {key_id}", "check", "AuthorizeRequest", event, key_id)
            self._verdicts[place] = (
                self._scene.stack.live("anybody", check, tables.copy()).status == "accepted"
            )
        return self._verdicts[place]


def items_of(tables: DynamoDbModel) -> dict[str, Item]:
    """Return the items of all keys, by id."""
    return {item["keyId"]["S"]: item for item in tables.tables[KEYS].values()}
