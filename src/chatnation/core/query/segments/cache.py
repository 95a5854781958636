"""What a process keeps in memory between questions: bounded in bytes, what was not used for longest goes first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Mapping
from threading import Lock
from typing import Any

Made = tuple[Any, int]
"""A value and its size in bytes."""


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
        """The value, made if it is not there; see `many`."""

        async def made(_: Collection[Hashable]) -> Mapping[Hashable, tuple[Any, int]]:
            return {key: await make()}

        return (await self.many([key], made))[key]

    async def many(
        self, keys: Iterable[Hashable], make: Callable[[Collection[Hashable]], Awaitable[Mapping[Hashable, Made]]]
    ) -> dict[Hashable, Any]:
        """The values by key, of which `make` makes those that are not there, with their sizes.

        Each is made by one of all that ask for it at the same time, and the others wait. Where making fails or is
        cancelled, whoever waits makes it.
        """
        found: dict[Hashable, Any] = {}
        wanted = set(keys)
        while wanted:
            found |= {key: value for key in wanted if (value := self.get(key)) is not None}
            wanted -= found.keys()
            others = {key: self._making[key] for key in wanted if key in self._making}
            own = wanted - others.keys()
            if own:
                found |= await self._make(own, make)
            if others:
                await asyncio.wait(others.values())
                found |= {key: each.result() for key, each in others.items() if not each.cancelled()}
            wanted -= found.keys()
        return found

    async def _make(
        self, keys: Collection[Hashable], make: Callable[[Collection[Hashable]], Awaitable[Mapping[Hashable, Made]]]
    ) -> dict[Hashable, Any]:
        loop = asyncio.get_running_loop()
        making = {key: loop.create_future() for key in keys}
        self._making |= making
        try:
            made = await make(keys)
            for key, (value, size) in made.items():
                self.put(key, value, size)
                making[key].set_result(value)
            return {key: value for key, (value, _) in made.items()}
        finally:
            for key, future in making.items():
                del self._making[key]
                future.cancel()

    def _drop(self, key: Hashable) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._size -= gone[1]
