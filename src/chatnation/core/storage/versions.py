"""How processes notice that another one changed what they keep in memory."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5

Refresh = Callable[[], Awaitable[None]]


class Versions:
    """Polls `cache_versions` while the app runs and calls what watches a name whose version has changed.

    Whoever changes the data calls `raise_version` in the same transaction.
    """

    def __init__(self, storage: Storage, *, every: float = POLL_SECONDS) -> None:
        self._storage = storage
        self._every = every
        self._watchers: dict[str, list[Refresh]] = {}
        self._seen: dict[str, int] = {}
        self._polled_at = time.monotonic()

    @property
    def age(self) -> float:
        """Seconds since the versions were last known; grows while the database is away."""
        return time.monotonic() - self._polled_at

    def watch(self, name: str, refresh: Refresh) -> None:
        """Call `refresh` soon after another process raised the version of `name`; also when ours did."""
        self._watchers.setdefault(name, []).append(refresh)

    async def run(self) -> None:
        """Poll until cancelled. While the database is away, what is in memory is kept."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.poll()
            except DatabaseUnavailable:
                continue
            except Exception:
                logger.exception("could not bring a cache up to date; it is tried again")

    async def poll(self) -> None:
        """Read every version once, and refresh what has changed since the last time."""
        started = time.monotonic()
        async with self._storage.system("poll cache versions") as connection:
            rows = await connection.execute(text("SELECT name, version FROM cache_versions"))
            versions: dict[str, int] = dict(rows.all())
        for name, version in versions.items():
            if self._seen.get(name, 0) != version:
                for refresh in self._watchers.get(name, ()):
                    await refresh()
                self._seen[name] = version
        self._polled_at = started


async def raise_version(connection: AsyncConnection, name: str) -> None:
    """Have every process refresh what it keeps under `name`, once the transaction of `connection` has committed."""
    await connection.execute(
        text(
            "INSERT INTO cache_versions (name, version) VALUES (:name, 1)"
            " ON CONFLICT (name) DO UPDATE SET version = cache_versions.version + 1"
        ),
        {"name": name},
    )
