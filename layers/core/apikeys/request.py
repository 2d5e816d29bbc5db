"""What a capability may ask of a request."""

import base64
import re
from typing import Any

from apikeys.errors import BadRequest, ContentTooLarge, Unauthorized, UnsupportedMediaType, Violation

type JSON = dict[str, Any]
type Event = dict[str, Any]

# The canonical text form of RFC 9562, section 4; any version, either case.
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
MAX_BODY = 16 * 1024  # bytes; the longest body that means anything here has about 2,000


class Request:
    """An API Gateway HTTP API event, payload format 2.0, read defensively.

    Its `repr` shows the route only: headers and body may hold secrets.

    Args:
        event: as Lambda hands it over.
    """

    def __init__(self, event: Event) -> None:
        self._event = event

    def __repr__(self) -> str:
        """Show the route, nothing else."""
        return f"Request({self.route!r})"

    @property
    def route(self) -> str:
        """The matched route key, such as `DELETE /things/{id}`."""
        return str(self._event.get("routeKey"))

    @property
    def method(self) -> str:
        """The method as requested."""
        context = self._event.get("requestContext") or {}
        return str((context.get("http") or {}).get("method"))

    @property
    def path(self) -> str:
        """The path as requested, with the stage or a custom domain's base path before it."""
        return str(self._event.get("rawPath"))

    @property
    def source(self) -> str:
        """The address that the request came from, in either payload format."""
        context = self._event.get("requestContext") or {}
        return str((context.get("http") or context.get("identity") or {}).get("sourceIp"))

    @property
    def authorized(self) -> JSON:
        """What this deployment's Lambda authorizer passed on.

        Raises:
            Unauthorized: if the route was reached without it.
        """
        context = self._event.get("requestContext") or {}
        passed = (context.get("authorizer") or {}).get("lambda")
        if not passed or not passed.get("keyId"):
            raise Unauthorized("the route is not behind the authorizer", token_was_sent=False)
        return dict(passed)

    def header(self, name: str) -> str | None:
        """Return a header, or None; several of one name are joined with commas, as API Gateway does.

        Args:
            name: in lower case. API Gateway lower-cases names too; local gateways do not.
        """
        headers = self._event.get("headers") or {}
        values = [value for key, value in headers.items() if key.lower() == name]
        return ",".join(values) if values else None

    def query(self, name: str) -> str | None:
        """Return a query parameter, or None; several of one name are joined with commas by API Gateway."""
        return (self._event.get("queryStringParameters") or {}).get(name)

    def path_parameter(self, name: str) -> str | None:
        """Return a path parameter, or None if the route has none of that name."""
        return (self._event.get("pathParameters") or {}).get(name)

    def path_uuids(self, *names: str) -> list[str]:
        """Return path parameters that are UUIDs, in lower case.

        Args:
            names: of the parameters.

        Raises:
            BadRequest: naming each one that is not in the canonical 8-4-4-4-12 text form.
        """
        given = self._event.get("pathParameters") or {}
        values = [str(given.get(name)) for name in names]
        violations = [
            Violation(name, "Invalid UUID format")
            for name, value in zip(names, values, strict=True)
            if not UUID.fullmatch(value)
        ]
        if violations:
            raise BadRequest(violations)
        return [value.lower() for value in values]

    def body(self, content_type: str) -> str:
        """Return the body as text, empty if there is none.

        Args:
            content_type: that a body must have; parameters such as a charset are ignored.

        Raises:
            UnsupportedMediaType: if it is of another type.
            ContentTooLarge: if it has more than MAX_BODY bytes.
            BadRequest: if it is not UTF-8, or not the Base64 that the gateway says it is.
        """
        text = self._event.get("body") or ""
        if not text:
            return ""
        if (self.header("content-type") or "").split(";")[0].strip().lower() != content_type:
            raise UnsupportedMediaType(content_type)
        try:
            encoded = self._event.get("isBase64Encoded")
            octets = base64.b64decode(text, validate=True) if encoded else text.encode()
            if len(octets) > MAX_BODY:
                raise ContentTooLarge(f"{len(octets)} bytes")
            return octets.decode()
        except ValueError:  # binascii.Error and UnicodeError are among them
            raise BadRequest([Violation("body", "Invalid encoding")]) from None
