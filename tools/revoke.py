"""`make revoke`: revoke a key by nothing but its string.

API, the base URL, is in the environment, and TOKEN, a JWT, where the deployment asks for one.
A string that is no whole key is not sent: the API would answer it `200 {}` too. Exits with 1 unless the answer is 200.
"""

import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

from tools.key_string import key_given, whole_key

# The string is a secret until the 200: not in the clear, except to this very machine.
BASE_URL = re.compile(r"(https://[^/\s?#]+|http://(127\.0\.0\.1|localhost)(:\d+)?)(/[^\s?#]*)?")
TIMEOUT = 30  # seconds


def main() -> None:
    """Send it, and say what the answer means."""
    api = os.environ.get("API", "").rstrip("/")
    if not BASE_URL.fullmatch(api):
        sys.exit("API must be the base URL, as https://api.example.com/api/v1")
    text = key_given()
    key = whole_key(text)
    token = os.environ.get("TOKEN")
    request = urllib.request.Request(  # noqa: S310 -- matched above
        f"{api}/api-keys/revoke",
        data=urllib.parse.urlencode({"token": text}).encode(),
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 -- matched above
            status, body = response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        status, body = refused.code, refused.read().decode()
    except OSError as failure:
        sys.exit(f"No answer, so nothing is known: {failure}. Repeat it.")
    print(f"{status} {body}")
    if (status, body) != (200, "{}"):
        sys.exit("The key is not known to be revoked. docs/leaked-key.md says what each answer means.")
    print(
        f"This string opens nothing on that stack. To be sure that it was a key of it, read key {key.key_id}."
    )


if __name__ == "__main__":
    main()
