"""The key string: an id to find it by, a secret to prove it, a checksum to tell junk at a glance. Pure."""

import hashlib
import hmac
import re
import secrets
import uuid
import zlib
from dataclasses import dataclass, field

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# The value of each of these digits, at the place of its character.
VALUES = bytes(max(ALPHABET.find(chr(code)), 0) for code in range(256))
# Characters that the 16 bytes of an id, the 32 of a secret and the 4 of a checksum take in base 62.
ID, SECRET, CHECKSUM = 22, 43, 6
FORMAT = re.compile(
    rf"([a-z][a-z0-9]*)_([0-9A-Za-z]{{{ID}}})([0-9A-Za-z]{{{SECRET}}})([0-9A-Za-z]{{{CHECKSUM}}})"
)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its holder has it. Its `repr` shows the id only.

    Args:
        key_id: canonical lower-case UUID.
        secret: 256 bits, 43 characters of base 62.
        prefix: of the deployment.
    """

    key_id: str
    secret: str = field(repr=False)
    prefix: str = field(repr=False, default="ak")

    @classmethod
    def generate(cls, *, key_id: str | None = None, prefix: str = "ak") -> "ApiKey":
        """Make a key whose secret comes from the operating system.

        Args:
            key_id: canonical lower-case UUID; a random one if None.
            prefix: lower-case letters and digits, starting with a letter.
        """
        return cls(key_id or str(uuid.uuid4()), _base62(secrets.randbits(256), SECRET), prefix)

    @classmethod
    def parse(cls, text: str, *, prefix: str = "ak") -> "ApiKey | None":
        """Return the key that this text spells, or None if it cannot be one of ours.

        Args:
            text: whatever was presented.
            prefix: of the deployment.
        """
        key, is_whole = cls.decode(text)
        return key if key and is_whole and key.prefix == prefix else None

    @classmethod
    def decode(cls, text: str) -> "tuple[ApiKey | None, bool]":
        """Return the key that this text has the form of, and whether it is whole, by its checksum.

        Args:
            text: from wherever, of whichever deployment.
        """
        match = FORMAT.fullmatch(text)
        if not match or (number := _number(match[2])) >= 1 << 128:
            return None, False
        key = cls(str(uuid.UUID(int=number)), match[3], match[1])
        return key, _checksum(text[:-CHECKSUM]) == match[4]

    def reveal(self) -> str:
        """Return the key string: to be shown once, never logged, never stored."""
        body = f"{self.prefix}_{_base62(uuid.UUID(self.key_id).int, ID)}{self.secret}"
        return body + _checksum(body)

    @property
    def start(self) -> str:
        """What people may be shown to recognise the key by: prefix and the first characters of its id."""
        return self.reveal()[: len(self.prefix) + 7]

    @property
    def hash(self) -> bytes:
        """SHA-256 of the secret: all that is stored. 256 random bits need no slow hash."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, stored: bytes) -> bool:
        """Compare with a stored hash, in constant time."""
        return hmac.compare_digest(self.hash, stored)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _number(digits: str) -> int:
    number = 0
    for value in digits.encode("ascii").translate(VALUES):
        number = number * 62 + value
    return number


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM)
