"""Between API Gateway's event and a capability: the only place that makes responses."""

import functools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from apikeys import deadline, log
from apikeys.asset import Asset
from apikeys.errors import ApiError, InsufficientScope, InternalError
from apikeys.metrics import CHECKS, Outcome
from apikeys.request import JSON, Request
from apikeys.settings import TokenSettings, optional

if TYPE_CHECKING:
    from apikeys.caller import Caller
    from apikeys.records import KeyRecord

type Handler = Callable[[Any, Any], JSON]

# An ARN that means one method and path: `*` and `?` would stand for others, `${` begins a variable.
ONE_METHOD = re.compile(r"arn:[^*?$]+")
NO_METHOD = "arn:aws:execute-api:::"


def endpoint(*, scope: str, status: int = 200) -> Callable[[Callable[[Request, "Caller"], JSON]], Handler]:
    """Make a capability a Lambda handler for verified callers.

    Args:
        scope: that the caller's token must have, without the deployment's prefix.
        status: of a success.

    Raises:
        SettingsError: at import, if the deployment does not say whose tokens to accept.
    """
    # Here, so that functions without a JWT to verify start without the libraries for it.
    from apikeys.caller import Authenticator  # noqa: PLC0415 -- see above

    settings = TokenSettings.from_environment()
    authenticator = Authenticator(settings)

    def decorate(capability: Callable[[Request, "Caller"], JSON]) -> Handler:
        @functools.wraps(capability)
        def for_verified_callers(request: Request) -> JSON:
            caller = authenticator.authenticate(request.header("authorization"), source=request.source)
            log.add(subject=caller.subject)
            if not caller.has(scope):
                raise InsufficientScope(settings.scope_prefix + scope)
            return capability(request, caller)

        return _answering(for_verified_callers, status)

    return decorate


def public_endpoint(capability: Callable[[Request], JSON | list[JSON] | Asset | None]) -> Handler:
    """Make a capability a Lambda handler that asks for no JWT: open, or behind the authorizer.

    Args:
        capability: returns the body of the answer; None for a 204, which has neither body nor headers.
    """
    return _answering(capability, 200)


def authorizer(check: Callable[[Request], "KeyRecord | None"]) -> Handler:
    """Make a check a Lambda authorizer, for HTTP APIs (payload 2.0) and REST APIs.

    "No" is for keys that are not good. A fault is raised, so that API Gateway answers 500 and Lambda counts an error:
    closed as well, but nobody takes a good key for a bad one.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

    Args:
        check: returns the key that the request presents if it is good, else None.
    """
    stack = optional("STACK_NAME")

    @functools.wraps(check)
    def handler(event: Any, context: Any) -> JSON:
        request = Request(event)
        with _one_request(request, context, stack):
            try:
                key = check(request)
            except Exception as fault:  # noqa: BLE001 -- whatever it is
                log.fault("fault", fault, reason=_reason(fault))
                # A new one, of our own words: the runtime prints what is raised past our redaction.
                raise InternalError(
                    "the check could not be made; the log line before this one says why"
                ) from None
            if request.method_arn is None:
                answer: JSON = {"isAuthorized": key is not None}
            else:
                one_method = ONE_METHOD.fullmatch(request.method_arn) is not None
                if key and not one_method:
                    log.count(CHECKS, Outcome=Outcome.AMBIGUOUS_PATH)
                    key = None
                answer = _policy(request.method_arn if one_method else NO_METHOD, key)
            log.info("checked", allowed=key is not None, **_who(request, key))
        return answer | {"context": _passed_on(key) if key else {}}

    return handler


def _who(request: Request, key: "KeyRecord | None") -> dict[str, str | None]:
    """Return what the log says of who used a good key, and of no other: ids in the path are the guarded API's."""
    return {
        "key_id": key.key_id if key else None,
        "application_id": key.application_id if key else None,
        "source": request.source if key else None,
    }


def _policy(method_arn: str, key: "KeyRecord | None") -> JSON:
    """Return the policy for exactly this method and path: a cached answer is no pass to others."""
    effect = "Allow" if key else "Deny"
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": method_arn}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": key.key_id if key else "nobody", "policyDocument": policy}


def _passed_on(key: "KeyRecord") -> JSON:
    # Strings only: REST APIs pass nothing else on.
    return {
        "applicationId": key.application_id,
        "keyId": key.key_id,
        "ownerId": key.owner_id,
        "scopes": " ".join(key.scopes),
    }


@contextmanager
def _one_request(request: Request, context: Any, stack: str) -> Iterator[None]:
    deadline.start(context)
    request_id = getattr(context, "aws_request_id", None)
    log.begin(stack, route=request.route or None, aws_request_id=request_id, **request.named)
    try:
        yield
    finally:
        deadline.stop()
        log.begin()


def _answering(capability: Callable[[Request], JSON | list[JSON] | Asset | None], success: int) -> Handler:
    """Turn whatever the capability returns or raises into an answer of the documented shape.

    A fault of ours is logged in full and tells the client nothing.
    """
    stack = optional("STACK_NAME")

    @functools.wraps(capability)
    def handler(event: Any, context: Any) -> JSON:
        request = Request(event)
        with _one_request(request, context, stack):
            try:
                body = capability(request)
            except ApiError as error:
                log.info("refused", status=error.status, reason=error.reason)
                return _response(error.status, error.body(), error.headers)
            except Exception as fault:  # noqa: BLE001 -- whatever it is, the client gets the documented shape
                log.fault("fault", fault, status=InternalError.status)
                return _response(InternalError.status, InternalError().body(), {})
            log.info("answered", status=204 if body is None else success)
        if body is None:
            return {"statusCode": 204}
        if isinstance(body, Asset):
            return body.response(request)
        return _response(success, body, {})

    return handler


def _reason(fault: Exception) -> str | None:
    return fault.reason if isinstance(fault, ApiError) else None


def _response(status: int, body: JSON | list[JSON], headers: dict[str, str]) -> JSON:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"} | headers,
        "body": json.dumps(body),
    }
