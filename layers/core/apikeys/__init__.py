"""API keys that stop working the moment they are revoked."""
