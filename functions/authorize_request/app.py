"""Lambda authorizer: lets requests with a good key through, to the routes that are put behind it."""

from apikeys import log
from apikeys.check import Checker
from apikeys.endpoint import authorizer
from apikeys.metrics import CHECKS, Outcome
from apikeys.records import KeyRecord
from apikeys.request import Request

checker = Checker.connect()
BEARER = "bearer "


@authorizer
def handler(request: Request) -> KeyRecord | None:
    """Check the one key of the request, in `Authorization: Bearer` or `X-API-Key`."""
    authorization, api_key = request.header("authorization"), request.header("x-api-key")
    presented = {api_key} if api_key else set()
    if authorization:
        is_bearer = authorization[: len(BEARER)].lower() == BEARER
        presented.add(authorization[len(BEARER) :].lstrip(" ") if is_bearer else "")
    if len(presented) != 1:
        log.count(CHECKS, Outcome=Outcome.NO_KEY)
        return None
    return checker.check(presented.pop(), source=request.source)
