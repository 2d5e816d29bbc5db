"""The AWS credentials of this function."""

import functools
import os
from dataclasses import dataclass, field
from typing import Any

from apikeys.errors import ServiceUnavailable
from apikeys.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair that signs requests. Its `repr` shows the access key's id only.

    Args:
        access_key_id: which pair.
        secret_key: what signs.
        session_token: what goes with a temporary pair; None for a lasting one.
    """

    access_key_id: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(repr=False, default=None)

    @classmethod
    def current(cls) -> "Credentials":
        """Return those that are good now: they are read anew each time, because they are rotated.

        Lambda puts them into the environment; where there are none, botocore's chain looks further (container,
        instance, profile). https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html

        Raises:
            SettingsError: if there are none.
            ServiceUnavailable: if their source does not give them.
        """
        access_key_id = os.environ.get("AWS_ACCESS_KEY_ID")
        secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY")
        if access_key_id and secret_key:
            return cls(access_key_id, secret_key, os.environ.get("AWS_SESSION_TOKEN") or None)
        return cls._from_botocore()

    @classmethod
    def _from_botocore(cls) -> "Credentials":
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415 -- not where Lambda gives credentials

        try:
            source = _botocore_session().get_credentials()
            found = source.get_frozen_credentials() if source else None
        except BotoCoreError as failure:
            raise ServiceUnavailable(f"no AWS credentials: {type(failure).__name__}") from None
        if not found:
            raise SettingsError("no AWS credentials: neither in the environment nor where botocore looks")
        return cls(found.access_key, found.secret_key, found.token)


@functools.cache
def _botocore_session() -> Any:
    from botocore.session import get_session  # noqa: PLC0415 -- as above

    return get_session()
