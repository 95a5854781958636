"""What a process keeps in memory between questions: bounded in bytes, what was not used for longest goes first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from threading import Lock
from typing import Any


class Cache:
    """Values by key, with their sizes in bytes. Keys begin with the tenant, so that nothing crosses tenants.

    Threads may use it. `once` is for one event loop.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[Any]] = {}
        self._size = 0
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return self._size

    def get(self, key: Hashable) -> Any:
        """The value, or None."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Any, size: int) -> None:
        """Keep a value, in place of the one that was there. One that is larger than half of the limit is not."""
        with self._lock:
            self._drop(key)
            if size > self.limit // 2:
                return
            self._kept[key] = (value, size)
            self._size += size
            while self._size > self.limit:
                self._drop(next(iter(self._kept)))

    async def once(self, key: Hashable, make: Callable[[], Awaitable[tuple[Any, int]]]) -> Any:
        """The value, made if it is not there: by one of all that ask for it at the same time, the others wait.

        `make` gives the value and its size. Where it fails or is cancelled, the next one who waits tries.
        """
        while True:
            found = self.get(key)
            if found is not None:
                return found
            making = self._making.get(key)
            if making is None:
                return await self._make(key, make)
            await asyncio.wait([making])
            if not making.cancelled():
                return making.result()

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[tuple[Any, int]]]) -> Any:
        self._making[key] = done = asyncio.get_running_loop().create_future()
        try:
            value, size = await make()
            self.put(key, value, size)
            done.set_result(value)
            return value
        finally:
            del self._making[key]
            if not done.done():
                done.cancel()

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= gone[1]
