"""`make token`: mint a token from the running stack's issuer."""

import argparse
import json
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from local.description import STACK
from local.issuer import SCOPES, TOKEN


def main() -> None:
    """Print a token, and nothing else, so that it can be used in `$(make -s token)`."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("--sub", default="alice", help="the token's subject (SUB=)")
    parser.add_argument("--scope", default=SCOPES, help="its scopes, separated by spaces (SCOPE=)")
    parser.add_argument("--description", type=Path, default=STACK, help="file that describes the stack")
    args = parser.parse_args()
    try:
        issuer = json.loads(args.description.read_text())["issuer"]
    except FileNotFoundError:
        sys.exit("No stack is running. Start one in another terminal with: make run")
    form = urllib.parse.urlencode({"sub": args.sub, "scope": args.scope}).encode()
    with urllib.request.urlopen(issuer + TOKEN, data=form) as response:  # noqa: S310 -- loopback
        print(json.load(response)["access_token"])


if __name__ == "__main__":
    main()
