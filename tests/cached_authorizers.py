"""The function that looks for caches, with an API Gateway of a few lines."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.functions import Context
from local.run import AWS_ENVIRONMENT
from local.template import Template, environment
from tests.deployment import EVERYTHING

AUTHORIZER = "arn:aws:lambda:eu-central-1:123456789012:function:api-keys-AuthorizeRequestFunction-abc"
URI = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{}/invocations"
SHAPES = {"get_apis": "GetApis", "get_rest_apis": "GetRestApis", "get_authorizers": "GetAuthorizers"}

type Authorizers = list[dict[str, Any]]


def of_http(arn: str = AUTHORIZER, **members: Any) -> dict[str, Any]:
    """Return an authorizer of an HTTP API."""
    return {"AuthorizerId": "a1", "Name": "keys", "AuthorizerUri": URI.format(arn)} | members


def of_rest(arn: str = AUTHORIZER, **members: Any) -> dict[str, Any]:
    """Return an authorizer of a REST API."""
    return {"id": "a2", "name": "keys", "authorizerUri": URI.format(arn)} | members


class Gateway:
    """Two APIs, a page each; of the last one the authorizers are on the second page.

    What is called is held against boto3's own client: which paginators there are, and what they take.
    """

    def __init__(self, client: Any, authorizers: Authorizers, fault: str) -> None:
        self._client, self._authorizers, self._fault = client, authorizers, fault

    def get_paginator(self, operation: str) -> "Paginator":
        assert self._client.can_paginate(operation)
        return Paginator(self, operation)

    def pages(self, operation: str, of: dict[str, str]) -> list[dict[str, Any]]:
        if operation == self._fault:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)
        takes = self._client.meta.service_model.operation_model(SHAPES[operation]).input_shape.members
        assert of.keys() <= takes.keys()
        member, identity = ("Items", "ApiId") if "get_apis" in dir(self._client) else ("items", "id")
        if operation != "get_authorizers":
            return [{member: [{identity: name}]} for name in ("first", "last")]
        [api] = of.values()
        return [{member: []}, {member: self._authorizers if api == "last" else []}]


class Paginator:
    """As much of boto3's as is used."""

    def __init__(self, gateway: Gateway, operation: str) -> None:
        self._gateway, self._operation = gateway, operation

    def paginate(self, **of: str) -> list[dict[str, Any]]:
        return self._gateway.pages(self._operation, of)


def look_for_caches(
    *, http: Authorizers | None = None, rest: Authorizers | None = None, fault: str = ""
) -> dict[str, int]:
    """Let the function look.

    Args:
        http: authorizers of the HTTP APIs.
        rest: of the REST APIs.
        fault: operation that API Gateway denies.
    """
    function = Template(EVERYTHING).functions()["FindCachedAuthorizersFunction"]
    function.environment["AUTHORIZER_ARN"] = AUTHORIZER
    with environment(AWS_ENVIRONMENT), pytest.MonkeyPatch.context() as patch:
        gateways = {
            "apigatewayv2": Gateway(boto3.client("apigatewayv2"), http or [], fault),
            "apigateway": Gateway(boto3.client("apigateway"), rest or [], fault),
        }
        patch.setattr(boto3, "client", lambda service, **_: gateways[service])
        found: dict[str, int] = function.load()({}, Context("FindCachedAuthorizersFunction"))
    return found
