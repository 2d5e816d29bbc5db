"""Requests go where botocore would send them, or where the environment says."""

import os
from typing import Any

import boto3
import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.session import get_session

from apikeys.dynamodb import DynamoDb
from apikeys.region import Endpoint, current_region, dynamodb_url
from apikeys.settings import SettingsError

BOTOCORE = get_session()
LOADER: Any = BOTOCORE.get_component("data_loader")
RESOLVER = EndpointProvider(
    LOADER.load_service_model("dynamodb", "endpoint-rule-set-1"), LOADER.load_data("partitions")
)
REGIONS = [
    region
    for partition in BOTOCORE.get_available_partitions()
    for region in BOTOCORE.get_available_regions("dynamodb", partition)
]
# Of partitions without a public list of Regions, and one that is newer than the list.
OTHERS = ["us-isof-south-1", "eusc-de-east-1", "eu-isoe-west-1", "eu-central-99"]


@pytest.mark.parametrize("fips", ["", "false", "true", "yes"])
@pytest.mark.parametrize("region", sorted({*REGIONS, *OTHERS}))
def test_awss_own_endpoint_is_the_one_of_botocore(
    region: str, fips: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every Region of every partition, ordinary and FIPS."""
    if fips:
        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
    resolved = RESOLVER.resolve_endpoint(Region=region, UseFIPS=fips == "true", UseDualStack=False)
    assert dynamodb_url(region) == resolved.url


SPECIFIC, GENERAL = "https://specific.example.com", "http://127.0.0.1:4566"


@pytest.mark.parametrize(
    ("specific", "general", "url"),
    [
        (SPECIFIC, GENERAL, SPECIFIC),
        ("", GENERAL, GENERAL),
        (SPECIFIC, "", SPECIFIC),
        ("", "", "https://dynamodb.eu-central-1.amazonaws.com"),
    ],
)
def test_the_environment_names_another_and_an_empty_value_is_none(
    specific: str, general: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", specific)
    monkeypatch.setenv("AWS_ENDPOINT_URL", general)
    assert dynamodb_url("eu-central-1") == url
    assert boto3.client("dynamodb").meta.endpoint_url == url


def test_another_endpoint_and_awss_fips_one_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guarantee: who asks for FIPS never gets an endpoint that is none."""
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", GENERAL)
    with pytest.raises(BotoCoreError):
        boto3.client("dynamodb").list_tables()
    with pytest.raises(SettingsError, match="exclude each other"):
        DynamoDb()


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (
            "https://dynamodb.eu-central-1.amazonaws.com",
            (True, "dynamodb.eu-central-1.amazonaws.com", 443, "dynamodb.eu-central-1.amazonaws.com"),
        ),
        ("http://localhost:8000/", (False, "localhost", 8000, "localhost:8000")),
        ("https://Host.example:443", (True, "host.example", 443, "host.example")),
        ("https://host.example:80", (True, "host.example", 80, "host.example:80")),
        ("http://host.example", (False, "host.example", 80, "host.example")),
        ("http://[::1]:8000", (False, "::1", 8000, "[::1]:8000")),
    ],
)
def test_an_endpoint_is_host_and_port(url: str, endpoint: tuple[object, ...]) -> None:
    assert Endpoint.at(url) == endpoint


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://localhost",
        "https://",
        "http://localhost:port",
        "http://localhost:99999",
        "http://[::1",
        "https://user@host",
        "https://host/path",
        "https://host?query",
        "https://host#fragment",
        "https://host\r\nx-header: 1",
        "https://ho st",
        "https://höst",
    ],
)
def test_what_is_none_stops_the_cold_start(url: str) -> None:
    with pytest.raises(SettingsError, match="endpoint"):
        DynamoDb(url)


@pytest.mark.parametrize("value", ["", "Eu-Central", "eu-central-1 ", "evil.example.com/"])
def test_without_a_region_there_is_no_start(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", value)
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(SettingsError, match="AWS_REGION"):
        current_region()


def test_lambdas_own_variable_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert current_region() == os.environ["AWS_REGION"] == "eu-central-1"
    monkeypatch.delenv("AWS_REGION")
    assert current_region() == "us-east-1"
