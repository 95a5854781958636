"""Keys in memory, for processes that check one per request."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from chatnation.core import tasks
from chatnation.core.auth.keys import KeyGrant, all_grants, find_grant, hash_key, looks_like_key
from chatnation.core.storage.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage
    from chatnation.core.storage.versions import Versions

logger = logging.getLogger(__name__)

CACHE = "ingestion"
"""Our row in `cache_versions`; triggers raise it when keys, projects or tenants change."""

_MOST_STRANGERS = 10_000
_WRITE_SECONDS = 10.0


class KeyCache:
    """Every valid key with what it yields.

    All of them are held, so that known keys are served without the database, also while it is away. A key that is not
    held is looked up, because it may be a moment old; strangers are remembered until something changes, and at most
    10,000 of them.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._grants: dict[bytes, KeyGrant] = {}
        self._strangers: set[bytes] = set()
        self._changes = 0
        self._used: dict[int, datetime] = {}
        self._writing: asyncio.Task[None] | None = None

    async def start(self, versions: Versions) -> None:
        """Read the keys, follow their changes, and write last-used times now and then until `stop`.

        Needs no database to start: until it answers, every key is a `DatabaseUnavailable`.
        """
        versions.watch(CACHE, self.refresh)
        with suppress(DatabaseUnavailable):
            await self.refresh()
        self._writing = asyncio.create_task(self._write_used_now_and_then(), name="write last-used times of keys")

    async def stop(self) -> None:
        """Write the last-used times that are left."""
        if self._writing is not None:
            await tasks.end(self._writing)
            self._writing = None
        with suppress(DatabaseUnavailable):
            await self.write_used()

    def known(self, secret: str) -> KeyGrant | None:
        """What the key yields, if that is in memory and the key has not expired; never waits."""
        return self._use(self._grants.get(hash_key(secret)))

    async def find(self, secret: str) -> KeyGrant | None:
        """What the key yields, or None when it is unknown, revoked or expired.

        Raises DatabaseUnavailable when the key is not in memory and cannot be looked up: then nobody can tell.
        """
        grant = self.known(secret)
        if grant is not None or not looks_like_key(secret):
            return grant
        digest = hash_key(secret)
        if digest in self._grants or digest in self._strangers:
            return None
        changes = self._changes
        async with self._storage.system("a key that is not in memory") as connection:
            grant = await find_grant(connection, secret)
        if changes == self._changes:
            self._remember(digest, grant)
        return self._use(grant)

    async def refresh(self) -> None:
        """Read every key again."""
        async with self._storage.system("keys of all tenants") as connection:
            grants = await all_grants(connection)
        self._changes += 1
        self._grants = grants
        self._strangers.clear()

    async def write_used(self) -> None:
        """Write the last-used times since the last call, in one statement."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            async with self._storage.system("last-used times of keys") as connection:
                await connection.execute(_WRITE_USED, {"ids": list(used), "times": list(used.values())})
        except DatabaseUnavailable:
            self._used = used | self._used
            raise

    def _use(self, grant: KeyGrant | None) -> KeyGrant | None:
        now = self._clock.now()
        if grant is None or not grant.valid_at(now):
            return None
        self._used[grant.key_id] = now
        return grant

    def _remember(self, digest: bytes, grant: KeyGrant | None) -> None:
        if grant is not None:
            self._grants[digest] = grant
        else:
            if len(self._strangers) >= _MOST_STRANGERS:
                self._strangers.clear()
            self._strangers.add(digest)

    async def _write_used_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_WRITE_SECONDS)
            try:
                await self.write_used()
            except DatabaseUnavailable:
                continue
            except Exception:
                logger.exception("The last-used times of keys could not be written")


# Rows are locked in order, so that two processes that write at once do not wait for each other in a circle.
_WRITE_USED = text(
    """
    WITH used AS (
        SELECT k.id, u.used_at
          FROM api_keys k
          JOIN unnest(CAST(:ids AS int[]), CAST(:times AS timestamptz[])) AS u (id, used_at) ON u.id = k.id
         WHERE k.last_used_at IS NULL OR k.last_used_at < u.used_at
         ORDER BY k.id
           FOR UPDATE OF k
    )
    UPDATE api_keys k SET last_used_at = used.used_at FROM used WHERE k.id = used.id
    """
)
