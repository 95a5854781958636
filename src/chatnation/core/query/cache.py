"""Answers that were found, kept until something changes; and those that are being found, for whoever asks the same."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value as of `mark`, and about how many bytes it takes."""

    mark: Hashable
    value: T
    size: int


class Cache(Generic[T]):
    """Values by key, each for as long as its mark holds. What was not wanted for longest goes first."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, Kept[T]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, mark: Hashable) -> T | None:
        """The value kept for `key`, unless its mark is another one."""
        kept = self._kept.get(key)
        if kept is None or kept.mark != mark:
            return None
        self._kept.move_to_end(key)
        return kept.value

    def put(self, key: Hashable, mark: Hashable, value: T, size: int) -> None:
        """Keep a value, unless it alone would take a fair part of all the room."""
        self._drop(key)
        if size > self._most_bytes // 8:
            return
        self._kept[key] = Kept(mark, value, size)
        self.bytes += size
        while len(self._kept) > self._most or self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self.bytes -= dropped.size


LINGER = 1.0
"""Seconds."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiting: int = 0


class Flights(Generic[T]):
    """Work that is under way, by what it is: who wants the same joins in.

    It ends early when nobody has waited for `linger` seconds: a page that was sent without a slow card asks for that
    card again at once.
    """

    def __init__(self, linger: float = LINGER) -> None:
        self._linger = linger
        self._flights: dict[Hashable, _Flight[T]] = {}

    async def join(self, key: Hashable, start: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What the work called `key` comes to; it is started unless it is under way."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(start()))
            flight.task.add_done_callback(lambda task: self._land(key, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                asyncio.get_running_loop().call_later(self._linger, self._give_up, key, flight)

    async def close(self) -> None:
        """End everything that is under way."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _give_up(self, key: Hashable, flight: _Flight[T]) -> None:
        if not flight.waiting and not flight.task.done():
            self._land(key, flight.task)
            flight.task.cancel()

    def _land(self, key: Hashable, task: asyncio.Task[T]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]


async def side_by_side(work: list[Callable[[], Awaitable[T]]], at_once: int) -> list[T]:
    """The results in order, `at_once` being worked on at any time. The first that fails ends the others."""
    results: dict[int, T] = {}
    waiting = iter(enumerate(work))

    async def worker() -> None:
        for place, make in waiting:
            results[place] = await make()

    workers = [asyncio.create_task(worker()) for _ in range(min(at_once, len(work)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [results[place] for place in range(len(work))]
