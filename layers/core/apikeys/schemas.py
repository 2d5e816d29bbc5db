"""Request bodies. Imported only by functions that have one: it brings pydantic along."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from apikeys.errors import BadRequest, Violation
from apikeys.records import timestamp
from apikeys.request import Request

RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
JOINER = "\u200d"  # makes one picture of several, such as a family's
# Letters, marks and a symbol by their category, which show nothing all the same.
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
INVISIBLE = "must be visible characters, without space around them"
SEVEN_DAYS = 7 * 24 * 60 * 60


def _visible(text: str) -> str:
    """Return a text that can be seen: what has no look of its own, a mark or a joiner, follows what has one.

    https://www.unicode.org/reports/tr44/#General_Category_Values
    """
    after = " "
    for character in text + " ":
        if character == JOINER or unicodedata.category(character).startswith("M"):
            is_fine = after not in (" ", JOINER)
        else:
            is_fine = character.isprintable() and (character != " " or after != JOINER)
        if not is_fine or character in BLANK:
            raise ValueError(INVISIBLE)
        after = character
    if text != text.strip():
        raise ValueError(INVISIBLE)
    return text


def _future(text: str) -> str:
    """Return an RFC 3339 time as the store spells it."""
    if not RFC3339.fullmatch(text):
        raise ValueError("must be an RFC 3339 time")
    try:
        moment = timestamp(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise ValueError("must be an RFC 3339 time") from None
    if moment <= timestamp():
        raise ValueError("must be in the future")
    return moment


Name = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_visible)]
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z0-9:._-]{1,64}$")]


class Body(BaseModel):
    """What all bodies have in common: JSON types are taken strictly, unknown members refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, alias_generator=to_camel)


class NewApplication(Body):
    """Body of `POST /api/v1/applications`."""

    name: Name


class NewApiKey(Body):
    """Body of `POST /api/v1/applications/{id}/api-keys`."""

    name: Name
    scopes: Annotated[list[Scope], Field(max_length=20)] = []
    expires_at: Annotated[str, AfterValidator(_future)] | None = None


class Rotation(Body):
    """Body of `POST /api/v1/applications/{id}/api-keys/{keyId}/rotate`; all of it may be left out."""

    overlap_seconds: Annotated[int, Field(ge=0, le=SEVEN_DAYS)] = 0


def read[B: Body](request: Request, model: type[B]) -> B:
    """Return the request's JSON body; a missing one reads as `{}`.

    Args:
        request: that has the body.
        model: what it must be.

    Raises:
        BadRequest: with an entry for every violation, named by its JSON path.
        UnsupportedMediaType: if it is not application/json.
        ContentTooLarge: if it is too large.
    """
    text = request.body("application/json") or "{}"
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise BadRequest(
            [_violation(e["loc"], e["msg"], e["type"]) for e in error.errors(include_input=False)]
        ) from None


def _violation(location: tuple[int | str, ...], message: str, kind: str) -> Violation:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return Violation(
        path.removeprefix(".") or "body", message.removeprefix("Value error, "), kind != "extra_forbidden"
    )
