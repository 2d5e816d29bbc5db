"""API keys that stop working the moment they are revoked."""

VERSION = "0.1.0"
