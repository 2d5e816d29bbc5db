"""SAM CLI's own local API Gateway on template.yaml, with the functions elsewhere instead of in containers.

The one file that imports SAM CLI's internals; it runs in SAM CLI's environment, which pins its version.
It ends when its standard input does, so it never outlives the process that started it.
"""

import argparse
import logging
import os
import sys
import urllib.request
from contextlib import redirect_stderr
from io import StringIO
from threading import Thread
from typing import Any

from samcli.lib.intrinsic_resolver.intrinsics_symbol_table import IntrinsicsSymbolTable
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.apigw import local_apigw_service
from samcli.local.apigw.event_constructor import construct_v2_event_http
from samcli.local.apigw.local_apigw_service import LocalApigwService


class RemoteFunctions:
    """Stands where SAM CLI starts containers: hands each event to the process that holds the functions.

    Args:
        url: of a server with the path of AWS Lambda's Invoke API.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        # Without the environment's proxies, which cannot reach this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def is_debugging(self) -> bool:
        """Tell SAM CLI to serve requests in parallel."""
        return False

    def invoke(self, function_identifier: str, event: str, *, stdout: Any, **_: Any) -> None:
        """Invoke a function and write its result where SAM CLI reads it."""
        url = f"{self._url}/2015-03-31/functions/{function_identifier}/invocations"
        request = urllib.request.Request(url, data=event.encode(), method="POST")  # noqa: S310 -- loopback
        with self._opener.open(request) as response:
            stdout.write_str(response.read().decode())


def event_as_on_aws(*, flask_request: Any, binary_types: Any, **others: Any) -> Any:
    """Make an event in which a body that is not UTF-8 is in Base64; SAM CLI would answer it with a 502."""
    try:
        flask_request.get_data().decode()
    except UnicodeDecodeError:
        binary_types = ["*/*"]
    return construct_v2_event_http(flask_request=flask_request, binary_types=binary_types, **others)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--template", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--functions", required=True, metavar="URL", help="where the functions are")
    parser.add_argument(
        "--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the template"
    )
    args = parser.parse_args()
    logging.getLogger("werkzeug").disabled = True
    # It calls a refused key a failure of the authorizer.
    logging.getLogger("samcli.local.apigw.local_apigw_service").disabled = True
    Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    # Its own stands for nothing with None, and then takes an !If with AWS::NoValue for a fault: without CORS.
    IntrinsicsSymbolTable.handle_pseudo_no_value = staticmethod(dict)
    local_apigw_service.construct_v2_event_http = event_as_on_aws
    parameters = dict(parameter.split("=", 1) for parameter in args.parameter)
    with redirect_stderr(StringIO()):  # a general warning about authorizers; errors are raised
        stacks, _ = SamLocalStackProvider.get_stacks(args.template, parameter_overrides=parameters)
        api = ApiProvider(stacks).api
    service = LocalApigwService(api, RemoteFunctions(args.functions), port=args.port, host="127.0.0.1")
    service.create()
    service.run()


if __name__ == "__main__":
    main()
