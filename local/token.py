"""`make token`: mint a token from the running stack's issuer."""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from local.description import FOLDER, NoStack, describe
from local.issuer import ADMIN, SCOPES, TOKEN
from local.ports import port_of

LONGEST_SUBJECT = 255  # characters


def main() -> None:
    """Print a token, and nothing else, so that it can be used in `$(make -s token)`."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    # Make hands these on by the environment, so that no shell reads them.
    parser.add_argument("--sub", default=os.environ.get("SUB", "alice"), help="the token's subject (SUB=)")
    parser.add_argument(
        "--scope", default=os.environ.get("SCOPE", SCOPES), help="its scopes, separated by spaces (SCOPE=)"
    )
    parser.add_argument(
        "--port",
        default=os.environ.get("PORT"),
        help="of the stack's API (PORT=); without it the one started last",
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of the files that describe stacks")
    args = parser.parse_args()
    if not 1 <= len(args.sub) <= LONGEST_SUBJECT or not args.sub.isprintable():
        sys.exit(f"SUB must be 1 to {LONGEST_SUBJECT} characters, each of which can be seen.")
    known = [*SCOPES.split(), ADMIN]
    unknown = [scope for scope in args.scope.split() if scope not in known]
    if unknown:
        sys.exit(f"SCOPE has {unknown[0]!r}, which is no scope of this API; there are: {', '.join(known)}.")
    try:
        stack = describe(args.folder, port_of(args.port) if args.port else None)
        print(_mint(stack, args.sub, args.scope))
    except NoStack as error:
        sys.exit(str(error))


def _mint(stack: Any, subject: str, scope: str) -> str:
    form = urllib.parse.urlencode({"sub": subject, "scope": scope}).encode()
    # Without the environment's proxies, which cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(stack["issuer"] + TOKEN, data=form) as response:
            token: str = json.load(response)["access_token"]
            return token
    except urllib.error.URLError:
        raise NoStack(f"The stack at {stack['base_url']} has ended. Start one with: make run") from None


if __name__ == "__main__":
    main()
