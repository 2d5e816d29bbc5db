"""Between API Gateway's event and a capability: the only place that makes responses."""

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from apikeys.asset import Asset
from apikeys.errors import ApiError, InsufficientScope, InternalError
from apikeys.log import logger
from apikeys.request import JSON, Event, Request
from apikeys.settings import TokenSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from apikeys.caller import Caller
    from apikeys.records import KeyRecord

type Handler = Callable[[Event, "LambdaContext"], JSON]


def endpoint(*, scope: str, status: int = 200) -> Callable[[Callable[[Request, "Caller"], JSON]], Handler]:
    """Make a capability a Lambda handler for verified callers.

    Args:
        scope: that the caller's token must have.
        status: of a success.

    Raises:
        SettingsError: at import, if the deployment does not say whose tokens to accept.
    """
    # Here, so that functions without a JWT to verify start without the libraries for it.
    from apikeys.caller import Authenticator  # noqa: PLC0415 -- see above

    authenticator = Authenticator(TokenSettings.from_environment())

    def decorate(capability: Callable[[Request, "Caller"], JSON]) -> Handler:
        @functools.wraps(capability)
        def for_verified_callers(request: Request) -> JSON:
            caller = authenticator.authenticate(request.header("authorization"))
            logger.thread_safe_append_keys(subject=caller.subject)
            if not caller.has(scope):
                raise InsufficientScope(scope)
            return capability(request, caller)

        return _answering(for_verified_callers, status)

    return decorate


def public_endpoint(capability: Callable[[Request], JSON | Asset | None]) -> Handler:
    """Make a capability a Lambda handler that asks for no JWT: open, or behind the authorizer.

    Args:
        capability: returns the body of the answer; None for a 204, which has neither body nor headers.
    """
    return _answering(capability, 200)


def authorizer(check: Callable[[Request], "KeyRecord | None"]) -> Handler:
    """Make a check a Lambda authorizer, for HTTP APIs (payload 2.0) and REST APIs. Any fault denies.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html

    Args:
        check: returns the key that the request presents if it is good, else None.
    """

    @functools.wraps(check)
    def handler(event: Event, context: "LambdaContext") -> JSON:
        request = Request(event)
        _start_log(request, context)
        try:
            key = check(request)
        except Exception:  # noqa: BLE001 -- whatever it is, the answer is no
            logger.exception("fault")
            key = None
        logger.info("checked", allowed=key is not None)
        passed_on = _passed_on(key) if key else {}
        if event.get("version") == "2.0":
            return {"isAuthorized": key is not None, "context": passed_on}
        # Exactly this method and path: a cached answer is no pass to others.
        statement = {
            "Effect": "Allow" if key else "Deny",
            "Action": "execute-api:Invoke",
            "Resource": str(event.get("methodArn")),
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        principal = key.key_id if key else "nobody"
        return {"principalId": principal, "policyDocument": policy, "context": passed_on}

    return handler


def _passed_on(key: "KeyRecord") -> JSON:
    # Strings only: REST APIs pass nothing else on.
    return {
        "applicationId": key.application_id,
        "keyId": key.key_id,
        "ownerId": key.owner_id,
        "scopes": " ".join(key.scopes),
    }


def _start_log(request: Request, context: "LambdaContext") -> None:
    logger.thread_safe_clear_keys()
    logger.thread_safe_append_keys(
        route=request.route, path=request.path, aws_request_id=context.aws_request_id
    )


def _answering(capability: Callable[[Request], JSON | Asset | None], success: int) -> Handler:
    """Turn whatever the capability returns or raises into an answer of the documented shape.

    A fault of ours is logged in full and tells the client nothing.
    """

    @functools.wraps(capability)
    def handler(event: Event, context: "LambdaContext") -> JSON:
        request = Request(event)
        _start_log(request, context)
        try:
            body = capability(request)
        except ApiError as error:
            logger.info("refused", status=error.status, reason=error.reason)
            return _response(error.status, error.body(), error.headers)
        except Exception:  # noqa: BLE001 -- whatever it is, the client gets the documented shape
            logger.exception("fault", status=InternalError.status)
            return _response(InternalError.status, InternalError().body(), {})
        logger.info("answered", status=204 if body is None else success)
        if body is None:
            return {"statusCode": 204}
        if isinstance(body, Asset):
            return body.response(request)
        return _response(success, body, {})

    return handler


def _response(status: int, body: JSON, headers: dict[str, str]) -> JSON:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"} | headers,
        "body": json.dumps(body),
    }
