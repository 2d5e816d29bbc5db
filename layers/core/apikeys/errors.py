"""The documented errors: each knows its status and its public body, and nothing internal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request.

    Args:
        field: the parameter or body member at fault, as the caller spells it.
        message: what it has to be instead.
        known: whether the field is one of ours. If not, its name is the caller's own words, and not for the log.
    """

    field: str
    message: str
    known: bool = True


class ApiError(Exception):
    """An answer other than success.

    Args:
        reason: why, in a few words for the log. It never reaches the client and never holds a secret.
        headers: response headers that belong to this answer.
    """

    status: ClassVar[int]
    error: ClassVar[str]
    message: ClassVar[str]

    def __init__(self, reason: str = "", *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the public body."""
        return {"error": self.error, "message": self.message, "code": self.status}


class BadRequest(ApiError):
    """Raised if the request is malformed; names every field at fault."""

    status = 400
    error = "Bad Request"
    message = "The request contains invalid parameters or malformed data"

    def __init__(self, violations: Sequence[Violation]) -> None:
        fields = dict.fromkeys(
            violation.field if violation.known else "an unknown member" for violation in violations
        )
        super().__init__(", ".join(fields))
        self.violations = tuple(violations)

    def body(self) -> dict[str, Any]:
        """Return the public body, with `details`."""
        details = [{"field": v.field, "message": v.message} for v in self.violations]
        return super().body() | {"details": details}


class Unauthorized(ApiError):
    """Raised if the caller cannot be verified (challenge: RFC 6750, section 3).

    Args:
        reason: why, for the log.
        token_was_sent: whether there was a bearer token; without one the challenge names no error (section 3.1).
    """

    status = 401
    error = "Unauthorized"
    message = "Authentication required. Please provide a valid API token"

    def __init__(self, reason: str, *, token_was_sent: bool = True) -> None:
        challenge = 'Bearer realm="api-keys"' + (', error="invalid_token"' if token_was_sent else "")
        super().__init__(reason, headers={"www-authenticate": challenge})


class Forbidden(ApiError):
    """Raised if the verified caller may not do this."""

    status = 403
    error = "Forbidden"
    message = "You don't have permission to access this resource"


class InsufficientScope(Forbidden):
    """Raised if the token lacks the scope of the route (RFC 6750, section 3.1).

    Args:
        scope: that it lacks, as the issuer spells it.
    """

    def __init__(self, scope: str) -> None:
        challenge = f'Bearer realm="api-keys", error="insufficient_scope", scope="{scope}"'
        super().__init__(f"token lacks {scope}", headers={"www-authenticate": challenge})


class NotFound(ApiError):
    """Raised if what the path names does not exist, or is not to be known to exist."""

    status = 404
    error = "Not Found"
    message = "The requested resource was not found"


class MethodNotAllowed(ApiError):
    """Raised if the path exists, under other methods (RFC 9110, section 15.5.6)."""

    status = 405
    error = "Method Not Allowed"
    message = "The requested resource does not support this method"

    def __init__(self, allow: Sequence[str]) -> None:
        super().__init__("method not allowed", headers={"allow": ", ".join(allow)})


class Conflict(ApiError):
    """Raised if the resource is no longer in the state that the request needs."""

    status = 409
    error = "Conflict"
    message = "The API key is no longer active, or has been rotated already"


class ContentTooLarge(ApiError):
    """Raised if the body is longer than any this API has a use for."""

    status = 413
    error = "Content Too Large"
    message = "The request body is too large"


class UnsupportedMediaType(ApiError):
    """Raised if the body is not of the route's content type (RFC 9110, section 15.5.16)."""

    status = 415
    error = "Unsupported Media Type"
    message = "The request body must be of another content type"

    def __init__(self, expected: str) -> None:
        super().__init__("content type", headers={"accept": expected})


class InternalError(ApiError):
    """The answer to a fault of ours."""

    status = 500
    error = "Internal Server Error"
    message = "Something went wrong on our side. Please try again"


class ServiceUnavailable(ApiError):
    """Raised if something we depend on does not answer; the request may be repeated as it is.

    Args:
        reason: what did not answer.
        retry_after: seconds after which a repetition is worth it.
    """

    status = 503
    error = "Service Unavailable"
    message = "The service is temporarily unavailable. Please try again"

    def __init__(self, reason: str, *, retry_after: int = 1) -> None:
        super().__init__(reason, headers={"retry-after": str(retry_after)})
