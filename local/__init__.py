"""The stack on one machine: no Docker, no AWS account."""
