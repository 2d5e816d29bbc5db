"""An Amazon Cognito user pool as the README's recipe makes one: a resource server and a machine's client."""

from dataclasses import dataclass
from typing import Self

import requests

from local.issuer import SCOPES
from tests.cloud.emulator import REGION, Emulator

RESOURCE_SERVER = "https://api.example"
PREFIX = f"{RESOURCE_SERVER}/"


@dataclass(frozen=True)
class Cognito:
    """A pool.

    Args:
        emulator: whose it is.
        pool: its id.
        client_id: of the client.
        client_secret: of the client.
    """

    emulator: Emulator
    pool: str
    client_id: str
    client_secret: str

    @classmethod
    def create(cls, emulator: Emulator) -> Self:
        """Create it."""
        cognito = emulator.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="callers")["UserPool"]["Id"]
        scopes = [{"ScopeName": scope, "ScopeDescription": scope} for scope in SCOPES.split()]
        cognito.create_resource_server(
            UserPoolId=pool, Identifier=RESOURCE_SERVER, Name="API Keys", Scopes=scopes
        )
        client = cognito.create_user_pool_client(
            UserPoolId=pool,
            ClientName="support-tooling",
            GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True,
            AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=[PREFIX + scope for scope in SCOPES.split()],
        )["UserPoolClient"]
        return cls(emulator, pool, client["ClientId"], client["ClientSecret"])

    def parameters(self) -> dict[str, str]:
        """Return the stack's parameters for it."""
        return {
            "Issuer": f"https://cognito-idp.{REGION}.amazonaws.com/{self.pool}",
            # Of the emulator's, since the issuer's name leads to AWS.
            "JwksUrl": f"{self.emulator.url}/{self.pool}/.well-known/jwks.json",
            "Audience": self.client_id,
            "ScopePrefix": PREFIX,
        }

    def token(self, *scopes: str) -> str:
        """Get an access token, as the client does."""
        form = {"grant_type": "client_credentials", "scope": " ".join(PREFIX + scope for scope in scopes)}
        credentials = (self.client_id, self.client_secret)
        answer = requests.post(f"{self.emulator.url}/oauth2/token", data=form, auth=credentials, timeout=10)
        token: str = answer.json()["access_token"]
        return token
