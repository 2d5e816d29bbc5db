"""An issuer on a bad day."""

import contextlib
import time
from http.server import BaseHTTPRequestHandler

from local.issuer import LocalIssuer

PATIENCE = 15  # seconds that it stalls at most, so that a test of a client without a time-out ends


class FaultyIssuer(LocalIssuer):
    """Counts what it is asked, and answers as the test wants.

    Attributes:
        fetched: the paths asked for.
        down: answer 500.
        served: the body of every 200, instead of the real one.
        redirect_to: answer 302.
        delay: seconds before an answer.
        manner: "silent" to accept and say nothing, "dribbling" to send a header for ever, one byte at a time.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__(host=host, name=host)
        self.fetched: list[str] = []
        self.down = False
        self.served: bytes | None = None
        self.redirect_to: str | None = None
        self.manner = ""
        self.delay = 0.0
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True
        super().stop()

    def get(self, request: BaseHTTPRequestHandler) -> None:
        self.fetched.append(request.path)
        time.sleep(self.delay)
        if self.manner:
            self._stall(request)
        elif self.down:
            request.send_error(500)
        elif self.redirect_to:
            request.send_response(302)
            request.send_header("location", self.redirect_to)
            request.end_headers()
        elif self.served is not None:
            request.send_response(200)
            request.end_headers()
            request.wfile.write(self.served)
        else:
            super().get(request)

    def _stall(self, request: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            if self.manner == "dribbling":
                request.send_response(200)
                request.flush_headers()
            until = time.monotonic() + PATIENCE
            while not self.stopped and time.monotonic() < until:
                time.sleep(0.1)
                if self.manner == "dribbling":
                    request.wfile.write(b"x")
