"""The reference page: the contract, put into the templates of reference/."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from local.template import ROOT
from tools.reference_operation import Json, Operation

METHODS = {"get", "post", "put", "patch", "delete"}
MARKDOWN = MarkdownIt("commonmark", {"html": False})


def page(contract: Json, asset: Callable[[str], str]) -> str:
    """Return the page's HTML.

    Args:
        contract: the OpenAPI document.
        asset: gives the address of a file that the page loads.

    Raises:
        NotShown: if the contract has something that the page could not show, or not send.
    """
    document: Json = resolved(contract, contract)
    operations = [
        Operation(document, path, method)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS and not operation.get("x-internal")
    ]
    groups = [
        tag | {"operations": [operation for operation in operations if operation.tag == tag["name"]]}
        for tag in document["tags"]
    ]
    templates = Environment(
        loader=FileSystemLoader(ROOT / "reference"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "markdown": _markdown,
        "inline_markdown": _inline_markdown,
        "in_words": in_words,
        "objects": lambda schema: list(objects(schema)),
    }
    shown = [group for group in groups if group["operations"]]
    return templates.get_template("page.html").render(info=document["info"], groups=shown, asset=asset)


def resolved(part: Any, document: Json) -> Any:
    """Return a part of a document with what its references refer to in their places."""
    if isinstance(part, list):
        return [resolved(one, document) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" not in part:
        return {name: resolved(one, document) for name, one in part.items()}
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found, document)


def in_words(schema: Json) -> str:
    """Return what a schema allows, in few words: `integer, 1 to 100, default 50`."""
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(in_words(one) for one in schema[several])
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if kinds == ["array"]:
        return f"array of {in_words(schema['items'])}"
    words = [" or ".join(kinds)]
    if "format" in schema:
        words.append(schema["format"])
    if "minimum" in schema and "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    if "default" in schema:
        words.append(f"default {schema['default']}")
    return ", ".join(words)


def objects(schema: Json) -> Iterator[Json]:
    """Yield the objects with members that a schema allows: itself, its alternatives, or those of a list."""
    if "properties" in schema:
        yield schema
    for alternative in [*schema.get("oneOf", []), *schema.get("anyOf", [])]:
        yield from objects(alternative)
    if "items" in schema:
        yield from objects(schema["items"])


# Both let no HTML of a text through.


def _markdown(text: str) -> Markup:
    return Markup(MARKDOWN.render(text))  # noqa: S704 -- made safe by MARKDOWN


def _inline_markdown(text: str) -> Markup:
    return Markup(MARKDOWN.renderInline(text))  # noqa: S704 -- the same
