"""What MiniStack leaves undone of an HTTP API, so that the deployed one has routes.

SAM's transform writes an API's routes, authorizers and CORS into an OpenAPI document, the API's `Body`. AWS imports it;
MiniStack stores it and does nothing. So this reads that body from the template as it was deployed, and calls for each
part of it what the import would: nothing is known here of this project's routes.

One thing more: MiniStack hands SAM's translator no parameter values, so that the origins, which the translator
puts in itself, are the parameter's default. They are taken from the stack's parameters instead.
"""

import json
import re
from collections.abc import Callable
from typing import Any

METHODS = {"x-amazon-apigateway-any-method": "ANY"}


def import_body(gateway: Any, api_id: str, body: dict[str, Any], arn: Callable[[str], str]) -> None:
    """Give an API the routes of a body, instead of those it has.

    Args:
        gateway: client of API Gateway v2.
        api_id: of the HTTP API.
        body: its OpenAPI document, conditions decided.
        arn: returns the ARN of the function with this logical id.
    """
    _remove_routes(gateway, api_id)
    authorizers = {}
    for name, scheme in body["components"]["securitySchemes"].items():
        given = scheme["x-amazon-apigateway-authorizer"]
        authorizers[name] = gateway.create_authorizer(
            ApiId=api_id,
            Name=name,
            AuthorizerType=given["type"].upper(),
            AuthorizerUri=_arn(given["authorizerUri"], arn),
            IdentitySource=given["identitySource"],
            AuthorizerPayloadFormatVersion=given["authorizerPayloadFormatVersion"],
            AuthorizerResultTtlInSeconds=given["authorizerResultTtlInSeconds"],
            EnableSimpleResponses=given["enableSimpleResponses"],
        )["AuthorizerId"]
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            given = operation["x-amazon-apigateway-integration"]
            integration = gateway.create_integration(
                ApiId=api_id,
                IntegrationType=given["type"].upper(),
                IntegrationMethod=given["httpMethod"],
                IntegrationUri=_arn(given["uri"], arn),
                PayloadFormatVersion=given["payloadFormatVersion"],
            )["IntegrationId"]
            key = path if path == "$default" else f"{METHODS.get(method, method.upper())} {path}"
            guard = {
                name: value
                for requirement in operation.get("security", [])
                for name, value in {"AuthorizerId": authorizers[next(iter(requirement))]}.items()
            }
            gateway.create_route(
                ApiId=api_id,
                RouteKey=key,
                Target=f"integrations/{integration}",
                AuthorizationType="CUSTOM" if guard else "NONE",
                **guard,
            )


def set_cors(gateway: Any, api_id: str, body: dict[str, Any], origins: str) -> None:
    """Give an API the CORS configuration of a body, or none.

    Args:
        gateway: client of API Gateway v2.
        api_id: of the HTTP API.
        body: its OpenAPI document, conditions decided.
        origins: the stack's parameter.
    """
    given = body.get("x-amazon-apigateway-cors")
    if given:
        configuration = {name[0].upper() + name[1:]: value for name, value in given.items()}
        gateway.update_api(
            ApiId=api_id, CorsConfiguration=configuration | {"AllowOrigins": origins.split(",")}
        )
    else:
        gateway.delete_cors_configuration(ApiId=api_id)


def _remove_routes(gateway: Any, api_id: str) -> None:
    for route in gateway.get_routes(ApiId=api_id)["Items"]:
        gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for integration in gateway.get_integrations(ApiId=api_id)["Items"]:
        gateway.delete_integration(ApiId=api_id, IntegrationId=integration["IntegrationId"])
    for authorizer in gateway.get_authorizers(ApiId=api_id)["Items"]:
        gateway.delete_authorizer(ApiId=api_id, AuthorizerId=authorizer["AuthorizerId"])


def _arn(uri: dict[str, Any], arn: Callable[[str], str]) -> str:
    """Return the function that an address refers to: by its ARN, or by its logical id in either of SAM's forms."""
    text = json.dumps(uri)
    given: list[str] = re.findall(r'"(arn:aws:lambda:[^"$]+)"', text)
    if given:
        return given[0]
    found: list[tuple[str, str, str]] = re.findall(
        r'\$\{(\w+)\.Arn\}(:\w+)?|"Fn::GetAtt": \["(\w+)", "Arn"\]', text
    )
    [(one, alias, other)] = found
    return arn(one or other) + alias
