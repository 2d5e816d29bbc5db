"""A deployment that is not configured does not start."""

import os

import pytest

from apikeys.settings import SettingsError, TokenSettings, optional, required
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
            "https://issuer.example.com", ("api-keys",), None, "sub"
        )
        assert required("API_KEYS_TABLE") == "keys"


def test_audiences_are_separated_by_spaces() -> None:
    with environment(COMPLETE | {"AUDIENCE": " api-keys  https://api.example "}):
        assert TokenSettings.from_environment().audiences == ("api-keys", "https://api.example")


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


def test_what_is_new_need_not_be_set() -> None:
    """Whoever runs a handler by itself need not know of it."""
    with environment(COMPLETE):
        for name in ("SCOPE_PREFIX", "STACK_NAME", "LOG_LEVEL"):
            os.environ.pop(name, None)
        assert TokenSettings.from_environment().scope_prefix == ""
        assert optional("STACK_NAME", "api-keys") == "api-keys"


@pytest.mark.parametrize(
    "url",
    [
        *("http://issuer.example.com", "https://", "file:///keys", "issuer.example.com", "ftp://x"),
        *(
            "http://evil.example\\@127.0.0.1/",
            "http://evil.example@127.0.0.1:80/",
            "http://127.0.0.1@evil.example/",
        ),
        *(
            "http://127.0.0.1.evil.example:80/",
            "http://127.0.0.1",
            "http://localhost:80/",
            "http://127.0.0.2:80/",
        ),
        *(
            "https://evil.example\\@good.example/",
            "https://a@b.example/",
            "https://a b/",
            "https://a/\r\nx: y",
        ),
        *(
            "https://a.example/#b",
            "https://[::1]/",
            "data:,{}",
            "data:text/html;base64,e30=",
            "HTTP://127.0.0.1:80/",
        ),
    ],
)
def test_keys_are_read_over_https_only(url: str) -> None:
    """Guarantee: nobody on the network can hand us keys. Seen to fail with http to anywhere."""
    with environment(COMPLETE | {"ISSUER": url}), pytest.raises(SettingsError, match="https"):
        TokenSettings.from_environment()
    with environment(COMPLETE | {"JWKS_URL": url}), pytest.raises(SettingsError, match="https"):
        TokenSettings.from_environment()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://issuer.example.com",
            "https://issuer.example.com:8443/realms/x/",
            "https://a-b.example/k?p=1&q=%20",
        ),
        *("http://127.0.0.1:3001", "http://127.0.0.1:3001/jwks.json", "http://host.docker.internal:3001"),
        "data:application/json;base64,e30=",
    ],
)
def test_https_and_this_very_machine_are_trusted(url: str) -> None:
    with environment(COMPLETE | {"JWKS_URL": url}):
        assert TokenSettings.from_environment().jwks_url == url


@pytest.mark.parametrize("prefix", ["https://api.example/", "api-keys/", "api://4242/", ""])
def test_scopes_may_have_a_prefix(prefix: str) -> None:
    with environment(COMPLETE | {"SCOPE_PREFIX": prefix}):
        assert TokenSettings.from_environment().scope_prefix == prefix


@pytest.mark.parametrize("prefix", ['a"b/', "a b/", "a\\b/", "\u00e9/", "a\r\nx"])
def test_a_prefix_that_no_scope_can_have_stops_the_cold_start(prefix: str) -> None:
    """It is quoted in a header of the answer."""
    with environment(COMPLETE | {"SCOPE_PREFIX": prefix}), pytest.raises(SettingsError, match="SCOPE_PREFIX"):
        TokenSettings.from_environment()


def test_an_issuer_that_is_no_url_needs_a_jwks_url() -> None:
    with environment(
        COMPLETE | {"ISSUER": "issuer.example.com", "JWKS_URL": "https://issuer.example.com/keys"}
    ):
        assert TokenSettings.from_environment().issuer == "issuer.example.com"
