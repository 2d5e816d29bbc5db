"""Between API Gateway's event and a capability: the only place that makes responses."""

import functools
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from apikeys.caller import Authenticator, Caller
from apikeys.errors import ApiError, BadRequest, InsufficientScope, InternalError, Violation
from apikeys.log import logger
from apikeys.settings import TokenSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type JSON = dict[str, Any]
type Handler = Callable[[dict[str, Any], "LambdaContext"], dict[str, Any]]

# The canonical text form of RFC 9562, section 4; any version, either case.
UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Request:
    """An API Gateway HTTP API event, payload format 2.0, read defensively.

    Its `repr` shows the route only: headers and body may hold secrets.

    Args:
        event: as Lambda hands it over.
    """

    def __init__(self, event: dict[str, Any]) -> None:
        self._event = event

    def __repr__(self) -> str:
        """Show the route, nothing else."""
        return f"Request({self.route!r})"

    @property
    def route(self) -> str:
        """The matched route key, such as `DELETE /things/{id}`."""
        return str(self._event.get("routeKey"))

    @property
    def path(self) -> str:
        """The path as requested."""
        return str(self._event.get("rawPath"))

    def header(self, name: str) -> str | None:
        """Return a header, or None; several of one name are joined with commas, as API Gateway does.

        Args:
            name: in lower case. API Gateway lower-cases names too; local gateways do not.
        """
        headers = self._event.get("headers") or {}
        values = [value for key, value in headers.items() if key.lower() == name]
        return ",".join(values) if values else None

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


def endpoint(*, scope: str) -> Callable[[Callable[[Request, Caller], JSON]], Handler]:
    """Make a capability a Lambda handler for verified callers.

    Args:
        scope: that the caller's token must have.

    Raises:
        SettingsError: at import, if the deployment does not say whose tokens to accept.
    """
    authenticator = Authenticator(TokenSettings.from_environment())

    def decorate(capability: Callable[[Request, Caller], JSON]) -> Handler:
        @public_endpoint
        @functools.wraps(capability)
        def for_verified_callers(request: Request) -> JSON:
            caller = authenticator.authenticate(request.header("authorization"))
            logger.append_keys(subject=caller.subject)
            if not caller.has(scope):
                raise InsufficientScope(scope)
            return capability(request, caller)

        return for_verified_callers

    return decorate


def public_endpoint(capability: Callable[[Request], JSON]) -> Handler:
    """Make a capability a Lambda handler that anybody may call.

    Whatever the capability raises becomes an answer of the documented shape; a fault of ours is logged
    in full and tells the client nothing.
    """

    @functools.wraps(capability)
    def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
        request = Request(event)
        logger.clear_state()
        logger.append_keys(route=request.route, path=request.path, aws_request_id=context.aws_request_id)
        try:
            body = capability(request)
        except ApiError as error:
            logger.info("refused", status=error.status, reason=error.reason)
            return _response(error.status, error.body(), error.headers)
        except Exception:  # noqa: BLE001 -- whatever it is, the client gets the documented shape
            logger.exception("fault", status=InternalError.status)
            return _response(InternalError.status, InternalError().body(), {})
        logger.info("answered", status=200)
        return _response(200, body, {})

    return handler


def _response(status: int, body: JSON, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"} | headers,
        "body": json.dumps(body),
    }
