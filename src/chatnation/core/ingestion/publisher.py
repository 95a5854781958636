"""Deliveries of concurrent requests, appended to the stream together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from chatnation.core.errors import QueueUnavailable
from chatnation.core.ingestion.event import Delivery
from chatnation.core.queue.base import EventQueue

logger = logging.getLogger(__name__)

IN_FLIGHT = 4
"""Appends at once for each partition: some are on their way while the stream works on another."""
GROUP = 32
"""Deliveries that do not wait for the end of the loop's turn, so that the stream works while the turn goes on."""
MOST_WAITING_BYTES = 64_000_000
_BREATHER_SECONDS = 0.25


class Publisher:
    """Group commit: the deliveries of one turn of the event loop are appended together, `group` of them as soon as
    they are there, and so is all that arrives while `in_flight` appends are under way.

    An idle collector appends each request at once; a busy one spreads the cost of an append over many requests. After
    a failure it refuses for a moment, so that a stream that is away costs clients no time.
    """

    def __init__(
        self,
        queue: EventQueue,
        *,
        in_flight: int = IN_FLIGHT,
        group: int = GROUP,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._in_flight = in_flight
        self._group = group
        self._now = now
        self._lanes: dict[int, _Lane] = {}
        self._refuse_until = 0.0
        self._reason = QueueUnavailable("The stream is out of reach.")
        self._waiting_bytes = 0

    async def publish(self, partition: int, delivery: Delivery) -> None:
        """Returns when the stream has the delivery. Raises QueueUnavailable."""
        await self.submit(partition, delivery)

    def submit(self, partition: int, delivery: Delivery) -> asyncio.Future[None]:
        """What is done when the stream has the delivery, or fails with QueueUnavailable; that may be raised at once."""
        if self._now() < self._refuse_until:
            raise QueueUnavailable(str(self._reason), retry_after=self._reason.retry_after)
        size = len(delivery.body)
        if self._waiting_bytes and self._waiting_bytes + size > MOST_WAITING_BYTES:
            raise QueueUnavailable("Too much waits for the stream.", retry_after=1)
        lane = self._lanes.get(partition)
        if lane is None:
            lane = self._lanes[partition] = _Lane()
        self._waiting_bytes += size
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        lane.deliveries.append(delivery)
        lane.futures.append(done)
        if len(lane.futures) == 1 and len(lane.tasks) < self._in_flight:
            loop.call_soon(self._start, partition, lane)
        elif len(lane.futures) >= self._group:
            self._start(partition, lane)
        return done

    def _start(self, partition: int, lane: _Lane) -> None:
        """Append what waits, unless as much as may be is under way; its end is then the next start."""
        if lane.futures and len(lane.tasks) < self._in_flight:
            deliveries, futures = lane.take()
            size = sum(len(delivery.body) for delivery in deliveries)
            task = asyncio.create_task(self._append(self._queue.publish(partition, deliveries), futures, size))
            lane.tasks.add(task)
            task.add_done_callback(lane.tasks.discard)
            task.add_done_callback(lambda _: self._start(partition, lane))

    async def _append(self, append: Awaitable[None], futures: list[asyncio.Future[None]], size: int) -> None:
        error: QueueUnavailable | None = QueueUnavailable("The collector is stopping.")
        try:
            await append
            error = None
        except QueueUnavailable as refused:
            error = self._reason = refused
            self._refuse_until = self._now() + _BREATHER_SECONDS
        except Exception as unexpected:
            logger.exception("deliveries could not be appended to the stream")
            error = QueueUnavailable(f"The stream failed: {type(unexpected).__name__}")
        finally:
            self._waiting_bytes -= size
            _settle(futures, error)


class _Lane:
    """What waits for one partition, and the appends that are under way."""

    __slots__ = ("deliveries", "futures", "tasks")

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.futures: list[asyncio.Future[None]] = []
        self.tasks: set[asyncio.Task[None]] = set()

    def take(self) -> tuple[list[Delivery], list[asyncio.Future[None]]]:
        """Everything that waits now."""
        taken = self.deliveries, self.futures
        self.deliveries, self.futures = [], []
        return taken


def _settle(futures: list[asyncio.Future[None]], error: QueueUnavailable | None) -> None:
    for future in futures:
        if future.done():  # Its request was cancelled.
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(QueueUnavailable(str(error), retry_after=error.retry_after))
