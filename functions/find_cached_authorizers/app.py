"""Every hour: finds APIs of the account that keep the authorizer's verdict, and so let a revoked key in for a while."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config

from apikeys import log
from apikeys.metrics import CACHED_AUTHORIZERS
from apikeys.settings import required

stack = required("STACK_NAME")
# The function, a version of it or its alias, in the address that API Gateway invokes it by.
OURS = re.compile(rf"/functions/{re.escape(required('AUTHORIZER_ARN'))}[:/]")
REST_DEFAULT = 300  # seconds for which a REST API keeps a verdict unless told otherwise
# An account has few such calls a second, for all that is done in it: what is refused is asked again, more slowly.
PATIENCE = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
http_apis, rest_apis = (boto3.client(name, config=PATIENCE) for name in ("apigatewayv2", "apigateway"))


def handler(_: object, context: Any) -> dict[str, int]:
    """Count them, and name each in a warning.

    Raises:
        ClientError, BotoCoreError: if API Gateway does not say; the function has failed then, which Lambda counts.
    """
    log.begin(stack, aws_request_id=getattr(context, "aws_request_id", None))
    found = 0
    for api, authorizer, name, uri, seconds in _authorizers():
        if seconds > 0 and OURS.search(uri):
            found += 1
            log.warning(
                "an authorizer with a cache", api=api, authorizer=authorizer, name=name, seconds=seconds
            )
    log.count(CACHED_AUTHORIZERS, found)
    log.info("looked for caches")
    return {"CachedAuthorizers": found}


def _authorizers() -> Iterator[tuple[str, str, str, str, int]]:
    """Yield API, id, name, address and seconds of each authorizer in this Region: of HTTP APIs, then of REST APIs."""
    for api in _all(http_apis, "get_apis", "Items"):
        for one in _all(http_apis, "get_authorizers", "Items", ApiId=api["ApiId"]):
            seconds = one.get("AuthorizerResultTtlInSeconds", 0)
            yield api["ApiId"], one["AuthorizerId"], one["Name"], one.get("AuthorizerUri", ""), seconds
    for api in _all(rest_apis, "get_rest_apis", "items"):
        for one in _all(rest_apis, "get_authorizers", "items", restApiId=api["id"]):
            seconds = one.get("authorizerResultTtlInSeconds", REST_DEFAULT)
            yield api["id"], one["id"], one["name"], one.get("authorizerUri", ""), seconds


def _all(client: Any, operation: str, member: str, **of: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**of):
        yield from page[member]
