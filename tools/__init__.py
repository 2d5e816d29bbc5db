"""What developers run: locking, fetching, generating events, the bundle of the reference page."""
