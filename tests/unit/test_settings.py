"""A deployment that is not configured does not start."""

import pytest

from apikeys.settings import SettingsError, TokenSettings, required
from local.template import Template, environment

COMPLETE = {
    "API_KEYS_TABLE": "keys",
    "ISSUER": "https://issuer.example.com",
    "AUDIENCE": "api-keys",
    "JWKS_URL": "",
    "OWNER_CLAIM": "sub",
}


def test_the_settings_are_what_the_environment_says() -> None:
    with environment(COMPLETE):
        assert TokenSettings.from_environment() == TokenSettings(
            "https://issuer.example.com", "api-keys", None, "sub"
        )
        assert required("API_KEYS_TABLE") == "keys"


@pytest.mark.parametrize("name", ["ISSUER", "AUDIENCE", "OWNER_CLAIM", "API_KEYS_TABLE"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_value_stops_the_cold_start_and_is_named(name: str, value: str) -> None:
    """Guarantee: an empty issuer or audience never means 'any'."""
    function = Template({}).functions()["RevokeApiKeyFunction"]
    function.environment.update(
        COMPLETE | {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    )
    function.environment[name] = value
    with pytest.raises(SettingsError, match=name):
        function.load()


@pytest.mark.parametrize(
    "url", ["http://issuer.example.com", "https://", "file:///keys", "issuer.example.com", "ftp://x"]
)
def test_keys_are_read_over_https_only(url: str) -> None:
    """Guarantee: nobody on the network can hand us keys."""
    with environment(COMPLETE | {"ISSUER": url}), pytest.raises(SettingsError, match="https"):
        TokenSettings.from_environment()
    with environment(COMPLETE | {"JWKS_URL": url}), pytest.raises(SettingsError, match="https"):
        TokenSettings.from_environment()


def test_an_issuer_that_is_no_url_needs_a_jwks_url() -> None:
    with environment(
        COMPLETE | {"ISSUER": "issuer.example.com", "JWKS_URL": "https://issuer.example.com/keys"}
    ):
        assert TokenSettings.from_environment().issuer == "issuer.example.com"
