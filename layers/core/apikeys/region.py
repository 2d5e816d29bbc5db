"""Which AWS Region this is, and where its DynamoDB answers."""

import os
import re
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from apikeys.settings import SettingsError

HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+", re.ASCII)  # a name, or an address
REGION = re.compile(r"[a-z0-9-]+", re.ASCII)
# Domains of AWS's partitions, by the beginning of the Region's name; of all others, `amazonaws.com`.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html
DOMAINS = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}
PORTS = {"https": 443, "http": 80}


def current_region() -> str:
    """Return the Region of this function.

    Raises:
        SettingsError: if neither AWS_REGION nor AWS_DEFAULT_REGION names one.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    if not REGION.fullmatch(region):
        raise SettingsError("AWS_REGION names no Region: the function cannot start without it")
    return region


def dynamodb_url(region: str) -> str:
    """Return the URL that the environment names (empty is none), or else AWS's own in this Region.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html

    Raises:
        SettingsError: if the environment names a URL and asks for AWS's FIPS endpoint at the same time.
    """
    named = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ.get("AWS_ENDPOINT_URL")
    fips = os.environ.get("AWS_USE_FIPS_ENDPOINT", "").lower() == "true"
    if named and fips:
        raise SettingsError("AWS_USE_FIPS_ENDPOINT and an endpoint of one's own exclude each other")
    if named:
        return named
    domain = next((DOMAINS[start] for start in DOMAINS if region.startswith(start)), "amazonaws.com")
    # GovCloud's ordinary endpoints are FIPS ones.
    name = "dynamodb-fips" if fips and not region.startswith("us-gov-") else "dynamodb"
    return f"https://{name}.{region}.{domain}"


class Endpoint(NamedTuple):
    """Where to send requests.

    Args:
        is_secure: whether to speak TLS.
        host: name or address.
        port: on it.
        authority: what a Host header says.
    """

    is_secure: bool
    host: str
    port: int
    authority: str

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the endpoint at a URL.

        Raises:
            SettingsError: if it is not an https or http URL of a host and nothing else.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
            parts = urlsplit("")
        whole = parts.scheme in PORTS and parts.path in {"", "/"} and not set("@?#") & set(url)
        if not whole or not HOST.fullmatch(host or ""):
            raise SettingsError(
                "the URL of DynamoDB's endpoint must be like https://host or http://host:port"
            )
        host = str(host)
        authority = f"[{host}]" if ":" in host else host
        if port and port != PORTS[parts.scheme]:
            authority += f":{port}"
        return cls(parts.scheme == "https", host, port or PORTS[parts.scheme], authority)
