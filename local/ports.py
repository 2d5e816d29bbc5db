"""Ports of this machine: the API's, and the next two for the issuer and DynamoDB."""

import socket
import sys

DEFAULT = 3000
HIGHEST = 65535 - 2


def port_of(text: str) -> int:
    """Return the API's port, as it was given, or end with advice."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= HIGHEST:
        sys.exit(f"PORT must be a number from 1 to {HIGHEST}, such as {DEFAULT}; the next two are used, too.")
    return int(text)


def require_free(port: int) -> None:
    """End with advice if one of the three ports that begin with this one is taken."""
    taken = [each for each in range(port, port + 3) if is_listening(each)]
    if taken:
        other = port + 1000 if port + 1000 <= HIGHEST else DEFAULT
        sys.exit(f"Port {taken[0]} is in use. Choose others with: make run PORT={other}")


def is_listening(port: int) -> bool:
    """Tell whether anything accepts connections to this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
