"""What a capability may ask of a request."""

import base64
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from apikeys.errors import BadRequest, ContentTooLarge, Unauthorized, UnsupportedMediaType, Violation

type JSON = dict[str, Any]
type Event = dict[str, Any]

# The canonical text form of RFC 9562, section 4; any version, either case.
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
MAX_BODY = 16 * 1024  # bytes; the longest body that means anything to most routes has about 2,000
FORM = "application/x-www-form-urlencoded"
ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}")  # the longest of IPv6 has 45 characters (RFC 4291, section 2.2)
NOT_DECODABLE = Violation("body", "Invalid encoding")
PASSED_ON = ("applicationId", "keyId", "ownerId", "scopes")  # by the authorizer


class Request:
    """An API Gateway event, read defensively: what is missing, or is not what it should be, counts as absent.

    HTTP APIs send payload format 2.0; to an authorizer, REST APIs send 1.0.
    Its `repr` shows the route only: headers and body may hold secrets.

    Args:
        event: as Lambda hands it over.
    """

    def __init__(self, event: Any) -> None:
        self._event = _object(event)

    def __repr__(self) -> str:
        """Show the route, nothing else."""
        return f"Request({self.route!r})"

    @property
    def route(self) -> str:
        """The matched route key, such as `DELETE /things/{id}`."""
        return _text(self._event.get("routeKey"))

    @property
    def method(self) -> str:
        """The method as requested."""
        return _text(_object(self._context.get("http")).get("method"))

    @property
    def source(self) -> str:
        """The address that the request came from, in either payload format; empty if there is none."""
        caller = _object(self._context.get("http")) or _object(self._context.get("identity"))
        address = _text(caller.get("sourceIp"))
        return address if ADDRESS.fullmatch(address) else ""

    @property
    def method_arn(self) -> str | None:
        """What an authorizer of a REST API is asked about; None for an HTTP API's simple response."""
        return None if self._event.get("version") == "2.0" else _text(self._event.get("methodArn"))

    @property
    def named(self) -> dict[str, str]:
        """What the path names, for the log: only what has the form of an id."""
        given = {"application_id": self.path_parameter("id"), "key_id": self.path_parameter("keyId")}
        return {name: value.lower() for name, value in given.items() if value and UUID.fullmatch(value)}

    @property
    def authorized(self) -> dict[str, str]:
        """What this deployment's Lambda authorizer passed on.

        Raises:
            Unauthorized: if the route was reached without it.
        """
        passed = _object(_object(self._context.get("authorizer")).get("lambda"))
        found = {name: passed[name] for name in PASSED_ON if isinstance(passed.get(name), str)}
        if len(found) < len(PASSED_ON):
            raise Unauthorized("the route is not behind the authorizer", token_was_sent=False)
        return found

    def header(self, name: str) -> str | None:
        """Return a header, or None; several of one name are joined with commas, as API Gateway does.

        Args:
            name: in lower case. API Gateway lower-cases names too; local gateways and REST APIs do not.
        """
        # Of several headers of one name, a REST API has all in the one place and only the last in the other.
        several, single = _object(self._event.get("multiValueHeaders")), _object(self._event.get("headers"))
        values = list(_values(several, name)) or list(_values(single, name))
        return ",".join(values) if values else None

    def query(self, name: str) -> str | None:
        """Return a query parameter, or None; several of one name are joined with commas by API Gateway."""
        value = _object(self._event.get("queryStringParameters")).get(name)
        return value if isinstance(value, str) else None

    def path_parameter(self, name: str) -> str | None:
        """Return a path parameter, or None if the route has none of that name."""
        value = _object(self._event.get("pathParameters")).get(name)
        return value if isinstance(value, str) else None

    def path_uuids(self, *names: str) -> list[str]:
        """Return path parameters that are UUIDs, in lower case.

        Args:
            names: of the parameters.

        Raises:
            BadRequest: naming each one that is not in the canonical 8-4-4-4-12 text form.
        """
        values = [self.path_parameter(name) or "" for name in names]
        violations = [
            Violation(name, "Invalid UUID format")
            for name, value in zip(names, values, strict=True)
            if not UUID.fullmatch(value)
        ]
        if violations:
            raise BadRequest(violations)
        return [value.lower() for value in values]

    def form(self, needed: str, *others: str) -> dict[str, str]:
        """Return the members of a form; those that are not asked for are ignored (RFC 6749, section 3.2).

        Args:
            needed: a member that must be there, not empty.
            others: members that may be.

        Raises:
            UnsupportedMediaType: if the body is no form.
            ContentTooLarge: if it has more than MAX_BODY bytes.
            BadRequest: naming each member that is missing or repeated.
        """
        given = parse_qs(self.body(FORM), keep_blank_values=True)
        violations = []
        if len(given.get(needed, [])) != 1 or not given[needed][0]:
            violations.append(Violation(needed, "must be given exactly once"))
        violations += [
            Violation(name, "must be given once at most") for name in others if len(given.get(name, [])) > 1
        ]
        if violations:
            raise BadRequest(violations)
        return {name: given[name][0] for name in (needed, *others) if name in given}

    def body(self, content_type: str) -> str:
        """Return the body as text, empty if there is none.

        Args:
            content_type: that a body must have; parameters such as a charset are ignored.

        Raises:
            UnsupportedMediaType: if it is of another type.
            ContentTooLarge: if it has more than MAX_BODY bytes.
            BadRequest: if it is not UTF-8, or not the Base64 that the gateway says it is.
        """
        try:
            return self.octets(content_type).decode()
        except UnicodeDecodeError:
            raise BadRequest([NOT_DECODABLE]) from None

    def octets(self, content_type: str, *, at_most: int = MAX_BODY) -> bytes:
        """Return the body as it was sent, empty if there is none.

        Args:
            content_type: that a body must have; parameters such as a charset are ignored.
            at_most: bytes.

        Raises:
            UnsupportedMediaType: if it is of another type.
            ContentTooLarge: if it is longer.
            BadRequest: if it is not the Base64 that the gateway says it is.
        """
        text = _text(self._event.get("body"))
        if not text:
            return b""
        if (self.header("content-type") or "").split(";")[0].strip().lower() != content_type:
            raise UnsupportedMediaType(content_type)
        try:
            encoded = self._event.get("isBase64Encoded")
            octets = base64.b64decode(text, validate=True) if encoded else text.encode()
        except ValueError:  # binascii.Error and UnicodeError are among them
            raise BadRequest([NOT_DECODABLE]) from None
        if len(octets) > at_most:
            raise ContentTooLarge(f"{len(octets)} bytes")
        return octets

    @property
    def _context(self) -> JSON:
        return _object(self._event.get("requestContext"))


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _values(headers: JSON, name: str) -> Iterator[str]:
    for key, given in headers.items():
        if key.lower() == name:
            yield from (
                value for value in (given if isinstance(given, list) else [given]) if isinstance(value, str)
            )
