"""Runs the functions in this process, behind the path of AWS Lambda's Invoke API."""

import json
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from local.template import Handler

type Observer = Callable[[dict[str, Any], dict[str, Any], float], None]


@dataclass(frozen=True, slots=True)
class Context:
    """As much of Lambda's context object as the functions use."""

    function_name: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


class FunctionsServer:
    """Serves on 127.0.0.1, any free port, from a thread.

    Args:
        handlers: by function name.
        observe: called with event, result and milliseconds after each invocation.
    """

    def __init__(self, handlers: Mapping[str, Handler], observe: Observer) -> None:
        self._handlers = handlers
        self._observe = observe
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._request_handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        """Answer requests from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Invoke a function; what it raises becomes what Lambda would return instead."""
        started = time.perf_counter()
        try:
            result = self._handlers[name](event, Context(name))
        except Exception as fault:  # noqa: BLE001 -- as Lambda does
            traceback.print_exc()
            result = {"errorMessage": str(fault), "errorType": type(fault).__name__}
        self._observe(event, result, (time.perf_counter() - started) * 1000)
        return result

    def _request_handler(self) -> type[BaseHTTPRequestHandler]:
        functions = self

        class RequestHandler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                name = self.path.removeprefix("/2015-03-31/functions/").removesuffix("/invocations")
                event = json.loads(self.rfile.read(int(self.headers["content-length"])))
                payload = json.dumps(functions.invoke(name, event)).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """Keep the terminal for what observe() prints."""

        return RequestHandler
