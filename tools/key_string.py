"""`make decode`: what a key string says by itself. Nothing is sent anywhere, and the string is not printed.

Exits with 1 if it is no whole key string.
"""

import getpass
import os
import sys
import textwrap

from apikeys.keys import ApiKey


def key_given() -> str:
    """Return the key string: KEY of the environment or, so that no shell keeps it, what standard input has."""
    given = os.environ.get("KEY", "")
    if not given and sys.stdin.isatty():
        given = getpass.getpass("Key string (it is not shown): ")
    return (given or sys.stdin.read()).strip()


def whole_key(text: str) -> ApiKey:
    """Return the key, or end with what is wrong with its string.

    Args:
        text: that should be a key string, of whichever deployment.
    """
    key, is_whole = ApiKey.decode(text)
    if not key:
        sys.exit("This is no key string: one is a prefix, an underscore and 71 letters and digits.")
    if not is_whole:
        sys.exit("The checksum is wrong: a character of the string is missing, or another than it was.")
    return key


def main() -> None:
    """Print it."""
    key = whole_key(key_given())
    said = f"""\
        prefix    {key.prefix}
        key id    {key.key_id}
        checksum  good"""
    print(textwrap.dedent(said))


if __name__ == "__main__":
    main()
