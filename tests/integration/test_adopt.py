"""Tables restored to a point in time are adopted by the stack, and no key that lost access since works in them."""

import json
from typing import Any

import pytest
import time_machine

from apikeys import audit
from tests.audit_stream import AuditStream
from tests.deployment import Deployment
from tests.snapshot import snapshot
from tools.adopt import IN_TEMPLATE, Candidate, Outcome, Unfit, adopt, main
from tools.endings import Endings, issued, of_events
from tools.restore import TABLES

LABEL = "ApiKeysStreamLabel"


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.adopt.SETTLED", 0)


class Story:
    """Keys, some of which lose access after the point in time.

    Attributes:
        lost: by what became of it, a key that lost access since.
        kept: a key that did not.
        late: a key that was issued since.
        names: of the restored tables.
        in_use: names of the tables that they are to replace.
        events: what the bus was told since, one event a line.
    """

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.kept = deployment.issue()
        self.application = self.kept["applicationId"]
        hows = ("revoked", "rotated", "revoked by its string", "revoked before", "overlapping")
        self.lost = {how: deployment.issue(self.application) for how in hows}
        revoke(deployment, self.lost["revoked before"])
        self.names = snapshot(deployment, self.application)
        stream = AuditStream(deployment)
        revoke(deployment, self.lost["revoked"])
        deployment.revoke_by_string(f"token={self.lost['revoked by its string']['key']}")
        self.late = self.rotate("rotated", 0)
        self.rotate("overlapping", 3600)
        self.in_use = snapshot(deployment, self.application)
        told = [one for record in stream.records() for one in audit.events_of(record, stack="local")]
        self.events = [json.dumps({"detail-type": one.type, "detail": one.detail}) for one in told]

    def rotate(self, how: str, overlap: int) -> dict[str, Any]:
        key = self.lost[how]
        path = {"id": self.application, "keyId": key["id"]}
        answer = self.deployment.call(
            "RotateApiKey", self.deployment.token(), path=path, body={"overlapSeconds": overlap}
        )
        assert answer.status == 201, answer
        rotated: dict[str, Any] = answer.body
        return rotated

    def adopt(self, endings: Endings, *, in_use: bool = False, **options: Any) -> Outcome:
        given = options.pop("issued_since", {})
        return adopt(
            self.deployment.dynamodb, self.candidates(in_use), endings, issued_since=given, **options
        )

    def candidates(self, in_use: bool) -> list[Candidate]:
        tables = [(of, IN_TEMPLATE[of][0]) for of in TABLES]
        return [
            Candidate(of, self.names[table], self.in_use[table] if in_use else None) for of, table in tables
        ]

    def in_restored_tables(self, outcome: Outcome) -> Deployment:
        """Return the deployment after `sam deploy` with the parameters that the tool prints."""
        return self.deployment.deployed_again(**outcome.parameters)

    def parameters(self, names: dict[str, str]) -> dict[str, str]:
        return {parameter: names[table] for table, parameter in IN_TEMPLATE.values()}

    def restored(self, key: dict[str, Any]) -> dict[str, Any] | None:
        table = self.names["ApiKeysTable"]
        return self.deployment.dynamodb.get_item(TableName=table, Key={"keyId": {"S": key["id"]}}).get("Item")


@pytest.fixture
def story(deployment: Deployment) -> Story:
    return Story(deployment)


def revoke(deployment: Deployment, key: dict[str, Any]) -> None:
    assert deployment.revoke(key["applicationId"], key["id"], deployment.token()).status == 200


def policy_of(deployment: Deployment, table: str) -> dict[str, Any] | None:
    arn = deployment.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    try:
        found = deployment.dynamodb.get_resource_policy(ResourceArn=arn)
    except deployment.dynamodb.exceptions.PolicyNotFoundException:
        return None
    policy: dict[str, Any] = json.loads(found["Policy"])
    return policy


def test_a_restore_brings_revoked_keys_back_to_life(story: Story) -> None:
    """What the other tests here are about: adopted as it is, a restored table accepts what was revoked since."""
    careless = story.deployment.deployed_again(**story.parameters(story.names))
    alive = {how for how, key in story.lost.items() if careless.accepts(key["key"])}
    assert alive == story.lost.keys() - {"revoked before"}


@pytest.mark.parametrize("known_by", ["events", "the table in use"])
def test_after_it_no_key_that_lost_access_works(
    clock: time_machine.Traveller, story: Story, known_by: str
) -> None:
    """Guarantee: what was revoked or replaced since, in whatever way, is refused by the restored table.

    Seen to fail with endings that are known and not written.
    """
    told = of_events(story.events) if known_by == "events" else {}
    outcome = story.adopt(told, in_use=known_by != "events")
    assert (outcome.ended, outcome.left) == (4, 0)
    again = story.adopt(told, in_use=known_by != "events")
    assert (again.ended, again.left) == (0, 0)
    adopted = story.in_restored_tables(outcome)
    assert adopted.accepts(story.kept["key"])
    assert {how for how, key in story.lost.items() if adopted.accepts(key["key"])} == {"overlapping"}
    clock.shift(3601)
    assert not adopted.accepts(story.lost["overlapping"]["key"])
    assert adopted.accepts(story.kept["key"])


@pytest.mark.parametrize("known_by", ["events", "the table in use"])
def test_it_says_of_each_key_what_the_table_in_use_says(story: Story, known_by: str) -> None:
    """Guarantee: who revoked it, when, why and from where survives the restore; nothing is made up."""
    story.adopt(
        of_events(story.events) if known_by == "events" else {}, in_use=known_by == "the table in use"
    )
    for how, key in story.lost.items():
        assert story.restored(key) == story.deployment.stored(key["id"]), how


def test_all_keys_revoked_at_once_stay_revoked(deployment: Deployment) -> None:
    story = Story(deployment)
    own = deployment.deployed_again(**story.parameters(story.in_use))
    path = {"id": story.application}
    assert own.call("RevokeAllApiKeys", own.token(), path=path).status == 200
    adopted = story.in_restored_tables(story.adopt({}, in_use=True))
    assert not [key for key in (story.kept, *story.lost.values()) if adopted.accepts(key["key"])]


def test_a_key_issued_since_is_refused_and_named_unless_it_is_carried_over(story: Story) -> None:
    """Guarantee: a key that the restored table does not know gets nobody in, and its owner can be told."""
    outcome = story.adopt(of_events(story.events), issued_since=issued(story.events))
    assert outcome.unknown[story.late["id"]] == story.application
    assert len(outcome.unknown) == 2
    assert not story.in_restored_tables(outcome).accepts(story.late["key"])
    outcome = story.adopt({}, in_use=True, carry_over=True)
    assert story.late["id"] not in outcome.unknown
    assert outcome.left == 0
    adopted = story.in_restored_tables(outcome)
    assert adopted.accepts(story.late["key"])
    assert not adopted.accepts(story.lost["rotated"]["key"])
    listed = adopted.call("ListApiKeys", adopted.token(), path={"id": story.application})
    assert story.late["id"] in [one["id"] for one in listed.body["items"]]


def test_no_ending_makes_a_key_live_longer(story: Story) -> None:
    """Guarantee: an event that says a later time than the table does is no second life."""
    key, table = story.lost["overlapping"], story.names["ApiKeysTable"]
    early = {"S": "2020-01-01T00:00:00.000Z"}
    story.deployment.dynamodb.update_item(
        TableName=table,
        Key={"keyId": {"S": key["id"]}},
        UpdateExpression="SET expiresAt = :early",
        ExpressionAttributeValues={":early": early},
    )
    assert story.adopt(of_events(story.events)).left == 0
    assert (story.restored(key) or {})["expiresAt"] == early


def test_what_cannot_be_written_is_said_to_be_left(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guarantee: "0 left" is read from the table, and not believed of the writes."""
    monkeypatch.setattr("tools.endings._write", lambda *_: True)
    assert story.adopt(of_events(story.events)).left == 4


def test_what_aws_does_not_restore_is_set_again_on_all_three_tables(story: Story) -> None:
    story.adopt(of_events(story.events))
    client = story.deployment.dynamodb
    for table, name in story.names.items():
        described = client.describe_table(TableName=name)["Table"]
        assert described["DeletionProtectionEnabled"]
        backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
        assert ("StreamSpecification" in described) is (table == "ApiKeysTable")
    stream = client.describe_table(TableName=story.names["ApiKeysTable"])["Table"]["StreamSpecification"]
    assert stream == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_it_names_the_parameters_with_which_the_stack_adopts_the_tables(story: Story) -> None:
    outcome = story.adopt(of_events(story.events))
    described = story.deployment.dynamodb.describe_table(TableName=story.names["ApiKeysTable"])["Table"]
    assert outcome.parameters == story.parameters(story.names) | {LABEL: described["LatestStreamLabel"]}
    assert outcome.parameters.keys() <= story.deployment.template.document["Parameters"].keys()


def test_while_the_stack_moves_nobody_writes_to_either_table(story: Story) -> None:
    """Guarantee: no revoke is answered 200 by one table while a check still reads the other."""
    story.adopt({}, in_use=True, close=True)
    for table in (*story.in_use.values(), *story.names.values()):
        [statement] = (policy_of(story.deployment, table) or {})["Statement"]
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        asked = {f"dynamodb:{name}" for name in ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem")}
        assert set(statement["Action"]) >= asked
        assert not [action for action in statement["Action"] if "Get" in action or "Query" in action]
        assert statement["Resource"].endswith(f":table/{table}")
    story.adopt({}, in_use=True)
    for table in story.names.values():
        assert policy_of(story.deployment, table) is None, "open again"
    assert policy_of(story.deployment, story.in_use["ApiKeysTable"]), (
        "nobody is to write to what is no longer used"
    )


def test_it_waits_until_nobody_writes_before_it_looks_for_the_last_time(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee: what is revoked until the policy holds everywhere is revoked in the restored table as well."""
    own = story.deployment.deployed_again(**story.parameters(story.in_use))
    monkeypatch.setattr("time.sleep", lambda _: revoke(own, story.kept))
    outcome = story.adopt({}, in_use=True, close=True)
    assert (outcome.ended, outcome.left) == (5, 0)


def test_a_policy_of_somebody_elses_is_not_written_over(story: Story) -> None:
    client, table = story.deployment.dynamodb, story.in_use["ListingsTable"]
    arn = client.describe_table(TableName=table)["Table"]["TableArn"]
    client.put_resource_policy(ResourceArn=arn, Policy='{"Version": "2012-10-17", "Statement": []}')
    with pytest.raises(Unfit, match=f"{table} has a resource policy"):
        story.adopt({}, in_use=True, close=True)


def test_what_has_another_shape_is_not_adopted(story: Story) -> None:
    client = story.deployment.dynamodb
    candidates = story.candidates(in_use=False)
    swapped = [
        Candidate(one.of, other.table) for one, other in zip(candidates, candidates[::-1], strict=True)
    ]
    with pytest.raises(Unfit, match="has another KeySchema than ListingsTable"):
        adopt(client, swapped, {}, issued_since={})
    with pytest.raises(Unfit, match="not with arn:aws:kms:eu-central-1"):
        story.adopt({}, kms_key="arn:aws:kms:eu-central-1:123456789012:key/other")
    client.update_time_to_live(
        TableName=story.names["ApiKeysTable"],
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"},
    )
    with pytest.raises(Unfit, match="time to live"):
        story.adopt({})


def test_without_a_source_of_what_was_revoked_nothing_is_done(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guarantee: nobody gets parameters to deploy with who has not said what was revoked since."""
    monkeypatch.setattr("sys.argv", ["adopt", "--keys", story.names["ApiKeysTable"]])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "keys revoked since would be active" in capsys.readouterr().err
