"""The name under which a process reads the stream.

What a consumer has read and not acknowledged is kept under its name. A process that is restarted takes a name that its
machine used before, so it finds its predecessor's entries at once and names do not pile up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from uuid import uuid4

import psutil
from redis.asyncio import Redis

from chatnation.core.queue import keys, scripts

LEASE_MS = 30_000
_RENEW_SECONDS = LEASE_MS / 3000


class ConsumerName:
    """A lease on the first free name `<base>-<number>`.

    A name is free when nobody holds it, or when its holder was a process of this machine that is no more. Should a
    lease run out under a process that was stopped for long, two may use one name for a moment; entries are then handled
    twice, which the processor tolerates.
    """

    def __init__(self, redis: Redis, base: str, *, now: Callable[[], float] = time.monotonic) -> None:
        self._take = redis.register_script(scripts.TAKE_LEASE)
        self._redis = redis
        self._base = base
        self._now = now
        self._holder = f"{_describe(os.getpid())}:{uuid4().hex}"
        self._name: str | None = None
        self._renewed_at = 0.0

    async def get(self) -> str:
        """The name; takes or renews the lease when that is due."""
        if self._name is not None and self._now() - self._renewed_at < _RENEW_SECONDS:
            return self._name
        if self._name is None or not await self._swap(self._name, self._holder):
            self._name = await self._acquire()
        self._renewed_at = self._now()
        return self._name

    async def release(self) -> None:
        """Give the name back."""
        if self._name is not None and await self._holder_of(self._name) == self._holder:
            await self._redis.delete(keys.consumer(self._name))
        self._name = None

    async def _acquire(self) -> str:
        number = 0
        while True:
            name = f"{self._base}-{number}"
            holder = await self._holder_of(name)
            if (not holder or not _lives(holder)) and await self._swap(name, holder):
                return name
            number += 1

    async def _holder_of(self, name: str) -> str:
        value = await self._redis.get(keys.consumer(name))
        return value.decode() if isinstance(value, bytes) else value or ""

    async def _swap(self, name: str, expected: str) -> bool:
        return bool(await self._take(keys=[keys.consumer(name)], args=[expected, self._holder, LEASE_MS]))


def _describe(pid: int) -> str:
    """A process, told apart from a later one that was given the same number."""
    return f"{pid}:{psutil.Process(pid).create_time():.2f}"


def _lives(holder: str) -> bool:
    process, _, _ = holder.rpartition(":")
    try:
        return _describe(int(process.partition(":")[0])) == process
    except (ValueError, psutil.NoSuchProcess):
        return False
    except psutil.Error:
        return True
