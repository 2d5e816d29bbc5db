"""The deployment on AWS's own DynamoDB Local."""

from collections.abc import Iterator

import pytest

from tests.deployment import Deployment
from tools.dynamodb_local import dynamodb_local


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Where DynamoDB Local is."""
    with dynamodb_local() as url:
        yield url


@pytest.fixture(scope="session")
def deployment(endpoint: str) -> Iterator[Deployment]:
    """The functions as deployed, on it."""
    with Deployment.up(endpoint) as deployment:
        yield deployment
