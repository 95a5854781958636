"""Deliveries of concurrent requests, appended to the stream together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from chatnation.core.errors import QueueUnavailable
from chatnation.core.ingestion.event import Delivery
from chatnation.core.queue.base import EventQueue

logger = logging.getLogger(__name__)

MOST_WAITING_BYTES = 64_000_000
_BREATHER_SECONDS = 0.25


class Publisher:
    """Group commit: what arrives while one append is under way goes into the next.

    An idle collector appends each request at once; a busy one spreads the cost of an append over many requests. After
    a failure it refuses for a moment, so that a stream that is away costs clients no time.
    """

    def __init__(self, queue: EventQueue, *, now: Callable[[], float] = time.monotonic) -> None:
        self._queue = queue
        self._now = now
        self._lanes: dict[int, _Lane] = {}
        self._refuse_until = 0.0
        self._reason = QueueUnavailable("The stream is out of reach.")
        self._waiting_bytes = 0

    async def publish(self, partition: int, delivery: Delivery) -> None:
        """Returns when the stream has the delivery. Raises QueueUnavailable."""
        if self._now() < self._refuse_until:
            raise QueueUnavailable(str(self._reason), retry_after=self._reason.retry_after)
        size = len(delivery.body)
        if self._waiting_bytes and self._waiting_bytes + size > MOST_WAITING_BYTES:
            raise QueueUnavailable("Too much waits for the stream.", retry_after=1)
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = _Lane()
        done = asyncio.get_running_loop().create_future()
        lane.waiting.append(delivery)
        lane.futures.append(done)
        self._waiting_bytes += size
        if lane.task is None:
            lane.task = asyncio.create_task(self._drain(partition, lane))
        try:
            await done
        finally:
            self._waiting_bytes -= size

    async def _drain(self, partition: int, lane: _Lane) -> None:
        try:
            while lane.waiting:
                deliveries, futures = lane.take()
                error: QueueUnavailable | None = QueueUnavailable("The collector is stopping.")
                try:
                    await self._queue.publish(partition, deliveries)
                    error = None
                except QueueUnavailable as refused:
                    error = self._reason = refused
                    self._refuse_until = self._now() + _BREATHER_SECONDS
                except Exception as unexpected:
                    logger.exception("deliveries could not be appended to the stream")
                    error = QueueUnavailable(f"The stream failed: {type(unexpected).__name__}")
                finally:
                    _settle(futures, error)
        finally:
            lane.task = None


class _Lane:
    """What waits for one partition, and the task that appends it."""

    __slots__ = ("futures", "task", "waiting")

    def __init__(self) -> None:
        self.waiting: list[Delivery] = []
        self.futures: list[asyncio.Future[None]] = []
        self.task: asyncio.Task[None] | None = None

    def take(self) -> tuple[list[Delivery], list[asyncio.Future[None]]]:
        """Everything that waits now."""
        taken = self.waiting, self.futures
        self.waiting, self.futures = [], []
        return taken


def _settle(futures: list[asyncio.Future[None]], error: QueueUnavailable | None) -> None:
    for future in futures:
        if future.done():  # Its request was cancelled.
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(QueueUnavailable(str(error), retry_after=error.retry_after))
