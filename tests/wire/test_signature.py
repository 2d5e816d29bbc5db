"""Requests are signed as AWS says, and as botocore signs them, byte for byte."""

import json
import os
import re
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
import requests
import time_machine
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from apikeys.connection import Connection
from apikeys.credentials import Credentials
from apikeys.dynamodb import DynamoDb
from apikeys.errors import ServiceUnavailable
from apikeys.signature import authorization, signing_key
from local.template import environment
from tests.moto_server import moto_server
from tests.wire.recorder import Recorder, parts_of

REQUESTS = 3_000
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeo"
    "IYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5V"
    "SXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj"
    "c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)


@pytest.mark.parametrize(
    ("day", "key"),
    [
        ("20120215", "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"),
        ("20150830", "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"),
    ],
)
def test_the_signing_key_is_derived_as_aws_documents_it(day: str, key: str) -> None:
    """AWS General Reference, "Examples of how to derive a signing key for Signature Version 4"."""
    assert signing_key(SECRET, day, "us-east-1", "iam").hex() == key


@pytest.mark.parametrize(
    ("headers", "body", "signature"),
    [
        ({}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ({"my-header1": "value1"}, b"", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
        ({"my-header1": "VALUE1"}, b"", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        (
            {"content-type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            {"x-amz-security-token": TOKEN},
            b"",
            "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
        ),
    ],
    ids=[
        "post-vanilla",
        "post-header-key-sort",
        "post-header-value-case",
        "post-x-www-form-urlencoded",
        "post-sts-header-before",
    ],
)
def test_the_signature_is_the_one_of_awss_test_suite(
    headers: dict[str, str], body: bytes, signature: str
) -> None:
    """The requests of AWS's Signature Version 4 test suite that are a `POST /` without a query."""
    headers = {"host": "example.amazonaws.com", "x-amz-date": "20150830T123600Z"} | headers
    assert authorization(
        Credentials("AKIDEXAMPLE", SECRET), headers, body, region="us-east-1", service="service"
    ) == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={';'.join(sorted(headers))}, Signature={signature}"
    )


def signed_by_botocore(url: str, region: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
    """Return the headers of the same request as botocore signs it, now."""
    request = AWSRequest("POST", url, headers, body)
    credentials = BotocoreCredentials(
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        os.environ.get("AWS_SESSION_TOKEN") or None,
    )
    SigV4Auth(credentials, "dynamodb", region).add_auth(request)
    return {name.lower(): value for name, value in request.prepare().headers.items()}


words = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1, max_size=100)
values = st.recursive(
    st.dictionaries(st.sampled_from(["S", "N", "B"]), st.text(max_size=40), min_size=1, max_size=1),
    lambda inner: st.dictionaries(st.text(max_size=10), inner, max_size=3).map(lambda m: {"M": m}),
    max_leaves=4,
)
regions = st.sampled_from(["eu-central-1", "us-east-1", "cn-north-1", "us-gov-west-1", "ap-southeast-7"])
endpoints = st.sampled_from(
    [
        "",
        "http://127.0.0.1:8000",
        "http://localhost",
        "https://vpce-1.example.com",
        "https://[::1]:443/",
        "HTTP://Host:80",
    ]
)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds


@settings(max_examples=REQUESTS, deadline=None)
@given(
    access=words,
    secret=words,
    token=words | st.none(),
    region=regions,
    endpoint=endpoints,
    operation=st.from_regex(r"[A-Z][A-Za-z]{0,30}", fullmatch=True),
    request=st.dictionaries(st.text(max_size=20), values, max_size=4),
    moment=moments,
)
def test_a_request_is_signed_as_botocore_signs_it(  # noqa: PLR0913, PLR0917 -- what a request depends on
    access: str,
    secret: str,
    token: str | None,
    region: str,
    endpoint: str,
    operation: str,
    request: dict[str, Any],
    moment: datetime,
) -> None:
    """Guarantee: whatever is asked, wherever, whenever and by whom, it is signed as AWS's own library signs it."""
    recorder = Recorder()
    own = {
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token or "",
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
    }
    with environment(own), time_machine.travel(moment, tick=False), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "open", recorder.open)
        database = DynamoDb()
        database.call(operation, request)
        line, headers, body = parts_of(recorder.sent)
        client = boto3_client(region, endpoint)
        ours = {name: headers[name] for name in ("content-type", "x-amz-target", "user-agent")}
        theirs = signed_by_botocore(client.meta.endpoint_url, region, ours, body)
    assert line == "POST / HTTP/1.1"
    assert json.loads(body) == request
    for name in ("authorization", "x-amz-date", "x-amz-security-token", "content-length"):
        assert headers.get(name) == theirs.get(name), name


_clients: dict[tuple[str, str], Any] = {}


def boto3_client(region: str, endpoint: str) -> Any:
    """Return a client, of which there is one each: making one takes a while."""
    if (region, endpoint) not in _clients:
        _clients[region, endpoint] = boto3.client("dynamodb", region, endpoint_url=endpoint or None)
    return _clients[region, endpoint]


def test_an_endpoint_that_verifies_signatures_accepts_ours_and_no_forged_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nothing is verified until the test says so.
    with moto_server(INITIAL_NO_AUTH_ACTION_COUNT="1000000") as url:
        session = boto3.Session("local", "local", region_name="eu-central-1")
        iam = session.client("iam", endpoint_url=url)
        iam.create_user(UserName="function")
        allowed = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_user_policy(UserName="function", PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName="function")["AccessKey"]
        session.client("dynamodb", endpoint_url=url).create_table(
            TableName="Things",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        requests.post(f"{url}/moto-api/reset-auth", data=b"0", timeout=10).raise_for_status()

        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        database = DynamoDb(url)
        item = {"id": {"S": "1"}, "text": {"S": "ä 漢 \U0001f511"}}
        assert database.call("PutItem", {"TableName": "Things", "Item": item}) == {}
        asked = {"TableName": "Things", "Key": {"id": {"S": "1"}}}
        assert database.call("GetItem", asked) == {"Item": item}

        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"][::-1])
        # Which moto says in XML.
        with pytest.raises(ServiceUnavailable, match="status 403"):
            database.call("GetItem", asked)


def test_credentials_do_not_show() -> None:
    """Guarantee: what an exception or a log shows of credentials is the public half of them."""
    assert re.fullmatch(
        r"Credentials\(access_key_id='AKIDEXAMPLE'\)", repr(Credentials("AKIDEXAMPLE", SECRET, TOKEN))
    )
