"""A weather service that asks about each API key by introspection (RFC 7662), and keeps no answer."""

import asyncio
from os import environ
from typing import Annotated, Any

from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPBearer

PATIENCE = 5  # seconds, for a token of our own and for the verdict together
app = FastAPI()
# Gets a token of our own by client credentials, and another before it expires.
oauth = AsyncOAuth2Client(
    environ["CLIENT_ID"],
    environ["CLIENT_SECRET"],
    scope="api-keys:introspect",
    token_endpoint=environ["TOKEN_ENDPOINT"],
    grant_type="client_credentials",
)


async def verdict(key: Annotated[Any, Depends(HTTPBearer())]) -> dict[str, Any]:
    """Return what is known of the caller's key; refuse if it is not good, and if nobody can tell."""
    try:
        async with asyncio.timeout(PATIENCE):
            if not oauth.token:
                await oauth.fetch_token()
            answer = await oauth.post(environ["INTROSPECTION_ENDPOINT"], data={"token": key.credentials})
        known: dict[str, Any] = answer.raise_for_status().json()
    except Exception as error:
        raise HTTPException(503, "API keys cannot be checked now") from error
    if known.get("active") is not True:
        raise HTTPException(401, "This API key is not good", {"WWW-Authenticate": "Bearer"})
    return known


@app.get("/forecast")
async def forecast(known: Annotated[dict[str, Any], Depends(verdict)]) -> dict[str, str]:
    """Tell the weather."""
    return {"forecast": "sunny", "for": known["client_id"]}
