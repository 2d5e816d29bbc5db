"""What the contract has is on the page, or the page is not made."""

import copy
import json
from typing import Any

import pytest

from tools.reference import contract
from tools.reference_operation import NotShown
from tools.reference_page import in_words, page

REVOKE = "/api/v1/applications/{id}/api-keys/{keyId}"


def changed() -> dict[str, Any]:
    """Return a contract that a test may change."""
    document: dict[str, Any] = copy.deepcopy(json.loads(contract()))
    return document


def made(document: dict[str, Any]) -> str:
    return page(document, lambda name: name)


def test_an_operation_that_is_added_to_the_contract_is_on_the_page_with_its_fields() -> None:
    document = changed()
    revoke = document["paths"][REVOKE]["delete"]
    document["paths"]["/api/v1/keys/{string}"] = {
        "post": revoke
        | {
            "operationId": "revokeByString",
            "summary": "Revoke a string",
            "parameters": [
                {"name": "X-Proof", "in": "header", "description": "Why.", "schema": {"type": "string"}},
                {
                    "name": "string",
                    "in": "path",
                    "required": True,
                    "description": "A key.",
                    "schema": {"type": "string"},
                    "example": "ak_1",
                },
            ],
        }
    }
    html = made(document)
    assert '<h3 id="revokeByString-title">Revoke a string</h3>' in html
    assert 'data-method="POST" data-path="/api/v1/keys/{string}"' in html
    assert 'name="header:X-Proof"' in html
    assert 'name="path:string"' in html


@pytest.mark.parametrize(
    "unknown",
    [
        {"scheme": {"type": "http", "scheme": "digest", "description": "Old."}},
        {"parameter": {"name": "session", "in": "cookie", "description": "Who.", "schema": {}}},
    ],
    ids=lambda unknown: next(iter(unknown)),
)
def test_what_the_page_cannot_show_stops_it_from_being_made(unknown: dict[str, Any]) -> None:
    document = changed()
    if "scheme" in unknown:
        document["components"]["securitySchemes"]["jwt"] = unknown["scheme"]
    else:
        document["paths"][REVOKE]["delete"]["parameters"].append(unknown["parameter"])
    with pytest.raises(NotShown):
        made(document)


def test_a_text_of_the_contract_is_text_and_nothing_else() -> None:
    """Guarantee: nothing that is written into the contract runs in the page that handles tokens."""
    script = "<script>alert(1)</script>"
    document = changed()
    document["info"]["description"] = document["info"]["title"] = script
    document["paths"][REVOKE]["delete"] |= {"description": script, "summary": f'"{script}'}
    html = made(document)
    assert script not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "uuid"}, "string, uuid"),
        ({"type": "integer", "minimum": 1, "maximum": 100, "default": 50}, "integer, 1 to 100, default 50"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "array", "items": {"type": "string"}}, "array of string"),
        ({"const": True}, "true"),
    ],
)
def test_a_schema_is_told_in_few_words(schema: dict[str, Any], words: str) -> None:
    assert in_words(schema) == words
