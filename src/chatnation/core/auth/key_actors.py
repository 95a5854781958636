"""Keys as actors of the API."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chatnation.core.auth.key_cache import CACHE, KeyCache
from chatnation.core.auth.keys import KeyGrant, KeyType
from chatnation.core.context import Actor

if TYPE_CHECKING:
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage
    from chatnation.core.storage.versions import Versions

_TRUSTED_SECONDS = 2.0
_NOTED_EVERY = timedelta(minutes=1)

READ_PERMISSIONS = frozenset({"analytics.view", "analytics.export"})
"""What a read key may do that was made without scopes."""


class ApiKeys:
    """Recognises keys that ask the API; known ones without a query, as long as versions are read."""

    def __init__(self, storage: Storage, versions: Versions, clock: Clock) -> None:
        self._cache = KeyCache(storage, clock)
        self._versions = versions
        self._clock = clock
        self._noted: dict[int, datetime] = {}
        versions.watch(CACHE, self._cache.refresh)

    async def actor(self, secret: str) -> Actor | None:
        """Who asks with this key. None also for write keys: they are public, so they open nothing but the collector."""
        if self._versions.age >= _TRUSTED_SECONDS:
            await self._cache.refresh()  # What was revoked meanwhile is not known; asks the database, or raises.
        actor = await recognise_key(self._cache, secret)
        if actor is not None and actor.key_id is not None:
            await self._note(actor.key_id)
        return actor

    async def _note(self, key_id: int) -> None:
        """Write down that keys were used, once a minute for each."""
        now = self._clock.now()
        noted = self._noted.get(key_id)
        if noted is None or now - noted >= _NOTED_EVERY:
            self._noted[key_id] = now
            await self._cache.write_used()


async def recognise_key(cache: KeyCache, secret: str) -> Actor | None:
    """Who asks with this key, as far as `cache` knows; None also for write keys."""
    grant = await cache.find(secret)
    return None if grant is None else actor_of(grant)


def actor_of(grant: KeyGrant) -> Actor | None:
    """The actor that a valid key stands for, if it opens anything besides the collector."""
    if grant.type is KeyType.WRITE:
        return None
    permissions = grant.scopes or (READ_PERMISSIONS if grant.type is KeyType.READ else frozenset())
    return Actor(tenant=grant.tenant, permissions=permissions, key_id=grant.key_id, role=grant.type)
