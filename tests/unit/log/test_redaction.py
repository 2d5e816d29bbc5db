"""Guarantee: nothing in the log could be a secret."""

import json
import time
import uuid
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apikeys import log as logging
from apikeys.keys import ALPHABET, ApiKey
from tests.unit.log.lines import TOKEN, shares


@pytest.mark.parametrize(
    "harmless",
    [
        "123e4567-e89b-12d3-a456-426614174000",
        "1-5759e988-bd862e3fe1be46a994272793",
        "DELETE /api/v1/applications/{id}/api-keys/{keyId}",
        "ProvisionedThroughputExceededException",
        'File "/opt/python/apikeys/endpoint.py", line 50, in for_verified_callers',
        "arn:aws:dynamodb:eu-central-1:123456789012:table/api-keys",
        "2026-11-22T12:00:00.000Z",
        "auth0|5f7c8ec7c33c6c004bbafe82",
        "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    ],
)
def test_what_operators_need_stays_readable(harmless: str) -> None:
    assert logging.redacted(harmless) == harmless


def ways_to_write(key: str) -> dict[str, str]:
    _, body = key.split("_")
    return {
        "whole": key,
        "without its last characters": key[:-7],
        "without its first": key[20:],
        "without its prefix": body,
        "in lower case": key.lower(),
        "in upper case": key.upper(),
        "encoded": quote(key).replace("_", "%5F"),
        "in lower case, encoded": f"ak%5f{body}",
        "with another prefix": f"sk_live_{body}",
        "in a path": f"/api/v1/applications/{key}/api-keys/{key}?x={key}",
        "twice": key + key,
        "in JSON": json.dumps({"key": key}),
        "in a header": f"Bearer {key},Bearer {key}",
        "its secret": body[22:65],
        "half of its secret": body[22:44],
    }


@given(st.uuids(), st.text(ALPHABET, min_size=43, max_size=43).filter(lambda secret: secret.strip(secret[0])))
def test_no_key_however_it_is_written(key_id: uuid.UUID, secret: str) -> None:
    """Guarantee: no twelve characters in a row of a key string get through, also of one that is cut or changed.

    Seen to fail where a word is long from 40 characters on.
    """
    whole = ApiKey(str(key_id), secret).reveal()
    # A secret that spells words, such as AaaAaaAaa…, would pass for a name. Random ones do so once in a billion times.
    if logging.HARMLESS.fullmatch(whole[25:47]):
        return
    for way, text in ways_to_write(whole).items():
        shown = logging.redacted(text)
        for spelling in (whole[25:], whole[25:].lower(), whole[25:].upper()):
            assert not shares(spelling, shown), way


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        *TOKEN.split("."),
        TOKEN[:-9],
        TOKEN.rsplit(".", 1)[0],
        TOKEN.replace(".", "%2E"),
        f"Bearer {TOKEN}",
        TOKEN.split(".")[2][:20],
        TOKEN[10:60],
    ],
)
def test_no_part_of_a_token(text: str) -> None:
    """Guarantee: no twelve characters in a row of a JWT get through.

    Seen to fail where a word is long from 40 characters on.
    """
    assert not shares(TOKEN, logging.redacted(f"said {text} to us"))


@pytest.mark.parametrize(
    "of",
    ["a", "A", "_", "-", "Aaa", "a_", "a-a", "0", "%5F", ".", "Ab", "a" * 15 + ".", "a" * 16 + " ", "\u00e9"],
)
def test_redaction_takes_linear_time(of: str) -> None:
    """Guarantee: nobody can keep us busy by what we log. Text eight times as long takes about eight times as long."""

    def seconds(length: int) -> float:
        text = of * (length // len(of))
        spent = []
        for _ in range(5):
            started = time.process_time()
            logging.redacted(text)
            spent.append(time.process_time() - started)
        return min(spent)

    once, longer = seconds(20_000), seconds(160_000)
    # Less than a thousandth of a second is nothing that every clock can tell.
    assert longer < 24 * max(once, 0.001)
