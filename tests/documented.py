"""What openapi.yaml documents, and whether an answer is as documented."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from local.template import ROOT

METHODS = ("get", "post", "put", "patch", "delete")
# What a gateway adds to every answer.
GATEWAYS_OWN = {"content-length", "date", "server", "connection", "apigw-requestid"}

GATEWAYS_WORDS = {"$ref": "urn:contract#/components/schemas/GatewayError"}


class Contract:
    """The contract, as answers are held against it."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = yaml.load(
            (ROOT / "openapi.yaml").read_text(), Loader=yaml.CSafeLoader
        )
        # References get a name for the document, so that they can be followed from any part of it.
        named = json.loads(json.dumps(self.document).replace('"#/', '"urn:contract#/'))
        resource = Resource.from_contents(named, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource("urn:contract", resource)
        self._named = named

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield path, method and operation of every route."""
        for path, item in self._named["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method.upper(), item[method]

    def follow(self, part: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference refers to, and anything else as it is."""
        if "$ref" not in part:
            return part
        found: dict[str, Any] = self._registry.resolver().lookup(part["$ref"]).contents
        return found

    def errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        """Return what is wrong with a value."""
        validator = Draft202012Validator(schema, registry=self._registry)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def responses(self, method: str, path: str) -> dict[str, Any]:
        """Return what may be answered to a request.

        Args:
            method: of the request, or None for whichever the path has.
            path: with parameters filled in, or as the contract has it.
        """
        candidates = [found for found in self.operations() if _matches(found[0], path)]
        for _, documented, operation in candidates:
            if documented == method:
                responses: dict[str, Any] = operation["responses"]
                return responses
        if candidates:
            return {"405": candidates[0][2]["responses"]["405"]}
        return {"404": {"$ref": "urn:contract#/components/responses/NotFound"}}

    def check(  # noqa: PLR0913 -- the parts of an answer
        self,
        method: str,
        path: str,
        status: int,
        headers: Mapping[str, str],
        text: str,
        *,
        by_a_function: bool = False,
    ) -> None:
        """Fail unless the answer is documented: its status, each of its headers, its content type and body.

        Args:
            method: of the request.
            path: of the request, from the root of the API.
            status: of the answer.
            headers: of the answer, without a gateway's own.
            text: of the answer's body.
            by_a_function: whether no gateway was asked, so that nothing may be said in one's words.
        """
        if method == "OPTIONS":
            assert (status, text) == (204, ""), "a preflight's answer is between browser and gateway"
            return
        where = f"{method} {path} {status}"
        # A HEAD is answered like a GET, without the body (RFC 9110, section 9.3.2).
        responses = self.responses("GET" if method == "HEAD" else method, path)
        assert str(status) in responses, f"{where} is not documented"
        response = self.follow(responses[str(status)])
        given = {name.lower(): value for name, value in headers.items()}
        given = {name: value for name, value in given.items() if not _is_cors(name, value)}
        documented = {
            name.lower(): self.follow(header) for name, header in response.get("headers", {}).items()
        }
        for name, header in documented.items():
            required = header.get("required") or (by_a_function and header.get("x-required-of-functions"))
            assert name in given or not required, f"{where} lacks {name}"
            if name in given:
                assert self.errors(header["schema"], given[name]) == [], f"{where} {name}"
        extra = given.keys() - documented.keys() - {"content-type"}
        assert not extra, f"{where} has headers that are not documented: {extra}"
        content_type = given["content-type"].split(";")[0]
        assert content_type in response["content"], f"{where} has the content type {content_type}"
        if method == "HEAD":
            assert text == "", f"{where} has a body"
            return
        body = json.loads(text) if content_type == "application/json" else text
        assert self.errors(response["content"][content_type]["schema"], body) == [], f"{where} {text}"
        assert not by_a_function or self.errors(GATEWAYS_WORDS, body), f"{where} is in a gateway's words"


def _is_cors(name: str, value: str) -> bool:
    """Tell whether a header is the gateway's own, of what pages of other origins may do."""
    return name.startswith("access-control-") or (name, value) == ("vary", "Origin")


def _matches(template: str, path: str) -> bool:
    pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in template.split("/"))
    return template == path or re.fullmatch(pattern, path) is not None


CONTRACT = Contract()
