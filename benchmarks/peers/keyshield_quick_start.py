"""keyshield, as its quick start has it: Argon2, a repository in memory.

https://pypi.org/project/keyshield/
"""

import asyncio
import secrets

from keyshield import ApiKeyService
from keyshield.domain.errors import KeyInactive
from keyshield.hasher.argon2 import Argon2ApiKeyHasher
from keyshield.repositories.in_memory import InMemoryApiKeyRepository

from benchmarks.subject import Key, main

service = ApiKeyService(
    repo=InMemoryApiKeyRepository(), hasher=Argon2ApiKeyHasher(pepper=secrets.token_urlsafe())
)


def fresh() -> Key:
    """Make a key."""
    made, key = asyncio.run(service.create(name="benchmark"))

    def check() -> bool:
        try:
            return asyncio.run(service.verify_key(key)) is not None
        except KeyInactive:
            return False

    async def disable() -> bool:
        found = await service.get_by_id(made.id_)
        found.disable()
        return await service.update(found) is not None

    return Key(check, lambda: asyncio.run(disable()))


if __name__ == "__main__":
    main(fresh)
