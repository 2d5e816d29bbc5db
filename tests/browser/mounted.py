"""The stack under a path, as API Gateway has it under a named stage or a custom domain's base path."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

HOP_BY_HOP = {"connection", "content-encoding", "content-length", "date", "server", "transfer-encoding"}


@contextmanager
def mounted(base_url: str, base_path: str) -> Iterator[str]:
    """Serve everything of the stack under a path, and nothing elsewhere, until the block ends.

    Args:
        base_url: of the stack.
        base_path: such as `/prod`.

    Yields:
        The base URL that the stack has there.
    """

    class Mount(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            if not self.path.startswith(base_path + "/"):
                self.send_error(404)
                return
            answer = requests.request(
                self.command,
                base_url + self.path.removeprefix(base_path),
                headers={name: value for name, value in self.headers.items() if name != "Host"},
                data=self.rfile.read(int(self.headers.get("Content-Length", 0))),
                timeout=10,
            )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_DELETE = handle_any  # noqa: N815 -- the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Mount) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{base_path}"
        server.shutdown()
