"""Revoke an API key with Python's requests: revoke.py URL TOKEN."""

import sys

import requests

url, token = sys.argv[1:]
headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
print(requests.delete(url, headers=headers, timeout=60).json())
