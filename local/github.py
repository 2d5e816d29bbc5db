"""Stands in for GitHub's secret scanning on one machine: publishes a fresh public key, and signs alerts with it."""

import base64
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PUBLIC_KEYS = "/meta/public_keys/secret_scanning"


class LocalGithub:
    """Its private key never leaves this process."""

    def __init__(self) -> None:
        self._private_key = ec.generate_private_key(ec.SECP256R1())
        self._identifier = uuid.uuid4().hex

    def public_keys(self) -> dict[str, Any]:
        """Return the document that GitHub publishes at PUBLIC_KEYS."""
        public = self._private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "public_keys": [{"key_identifier": self._identifier, "key": public.decode(), "is_current": True}]
        }

    def headers(self, body: bytes) -> dict[str, str]:
        """Return the headers that an alert has.

        Args:
            body: of it.
        """
        signature = self._private_key.sign(body, ec.ECDSA(SHA256()))
        return {
            "content-type": "application/json",
            "github-public-key-identifier": self._identifier,
            "github-public-key-signature": base64.b64encode(signature).decode(),
        }
