"""Others that check and revoke API keys, each in its documented default set-up, doing the same two pieces of work."""
