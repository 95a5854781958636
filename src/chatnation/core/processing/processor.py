"""Takes entries from the stream, has them stored, and acknowledges them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from chatnation.core import live
from chatnation.core.errors import QueueUnavailable
from chatnation.core.ingestion.event import Delivery
from chatnation.core.metrics import Metrics
from chatnation.core.processing.failures import is_collision, is_passing
from chatnation.core.processing.isolation import DeadLetters, Isolation, Suspicious
from chatnation.core.processing.notices import LIVE_KIND, live_summary
from chatnation.core.processing.pipeline import Pipeline, Stored
from chatnation.core.queue.base import Entry, EventQueue
from chatnation.core.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

LANES = 3
"""Batches in hand at once: one is decoded, while the database stores one and a second waits for a lock of the first."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
COLLISIONS = 5
PATIENCE = 6
"""Tries before a batch that fails as a whole, for no reason of its own, is taken apart all the same."""

OFTEN = 5
TOO_OFTEN = 30
"""Attempts after which an entry is handled by itself, and then buried: it seems to kill whoever takes it."""


class Processor:
    """Reads every partition of the stream until it is stopped. Any number of processes may run one.

    An entry is acknowledged after its events are committed, never before; what a process had in hand when it died is
    claimed by another one, and what of it was committed already is recognised by its delivery id.
    """

    def __init__(
        self,
        *,
        queue: EventQueue,
        pipeline: Pipeline,
        dead_letters: DeadLetters,
        redis: Redis,
        metrics: Metrics,
        settings: Settings,
    ) -> None:
        self._queue = queue
        self._pipeline = pipeline
        self._isolation: Final = Isolation(pipeline.run, dead_letters)
        self._dead_letters = dead_letters
        self._redis = redis
        self._metrics = metrics
        self._settings = settings
        self._stopping: Final = asyncio.Event()
        self._in_hand: Final[set[tuple[int, str]]] = set()
        self._troubled = 0

    @property
    def troubled(self) -> bool:
        """Whether batches wait because a server is away or something of ours is broken."""
        return self._troubled > 0

    def stop(self) -> None:
        """Read nothing more; `run` returns when the batches in hand are stored."""
        self._stopping.set()

    async def run(self) -> None:
        """Process until stopped."""
        handed: asyncio.Queue[list[Entry] | None] = asyncio.Queue(maxsize=1)
        async with asyncio.TaskGroup() as group:
            for _ in range(LANES):
                group.create_task(self._handle_all(handed))
            async with asyncio.TaskGroup() as readers:
                for partition in range(self._settings.stream_partitions):
                    readers.create_task(self._read_all(partition, handed))
            for _ in range(LANES):
                await handed.put(None)

    async def drain(self) -> None:
        """Process what waits in the stream now, then return; for tests and commands."""
        for partition in range(self._settings.stream_partitions):
            while entries := await self._claim(partition) or await self._read(partition, wait_ms=1):
                await self.handle(entries)

    async def handle(self, entries: Sequence[Entry]) -> None:
        """Store and acknowledge entries. While servers are away, tries again; gives up only when stopped."""
        try:
            for part in _parts(entries):
                if await self._store_until_done(part):
                    await self._acknowledge(part)
        finally:
            self._in_hand.difference_update((entry.partition, entry.id) for entry in entries)

    async def _read_all(self, partition: int, handed: asyncio.Queue[list[Entry] | None]) -> None:
        loop = asyncio.get_running_loop()
        claim_every = self._settings.process_claim_after_ms / 2000
        claim_at = loop.time()
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                entries: list[Entry] = []
                # While we hold batches back ourselves, what looks abandoned may well be ours.
                if loop.time() >= claim_at and not self._troubled:
                    entries = await self._claim(partition)
                    if not entries:
                        claim_at = loop.time() + claim_every
                if not entries:
                    entries = await self._read(partition, wait_ms=self._settings.process_batch_wait_ms)
            except QueueUnavailable as error:
                logger.warning("the stream cannot be read, next try in %.1f s: %s", pause, error)
                await self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause = FIRST_PAUSE
            if entries:
                await handed.put(entries)

    async def _read(self, partition: int, *, wait_ms: int) -> list[Entry]:
        entries = await self._queue.read(partition, max_events=self._settings.process_batch_events, wait_ms=wait_ms)
        return self._taken(entries)

    async def _claim(self, partition: int) -> list[Entry]:
        entries = await self._queue.claim(
            partition,
            idle_ms=self._settings.process_claim_after_ms,
            max_events=self._settings.process_batch_events,
        )
        return self._taken(entries)

    def _taken(self, entries: Iterable[Entry]) -> list[Entry]:
        """Those that are not in hand yet; a slow batch may be claimed from ourselves."""
        fresh = [entry for entry in entries if (entry.partition, entry.id) not in self._in_hand]
        self._in_hand.update((entry.partition, entry.id) for entry in fresh)
        return fresh

    async def _handle_all(self, handed: asyncio.Queue[list[Entry] | None]) -> None:
        while (entries := await handed.get()) is not None:
            await self.handle(entries)

    async def _store_until_done(self, entries: Sequence[Entry]) -> bool:
        """Store the deliveries of `entries`, trying again while the trouble may pass. False: stopped before that."""
        pause, tries = FIRST_PAUSE, 0
        while True:
            tries += 1
            try:
                await self._store(entries, patient=tries < PATIENCE)
            except Exception as error:
                if not is_passing(error) and not isinstance(error, Suspicious):
                    raise
                if self._stopping.is_set():
                    return False
                logger.warning("a batch has to wait, next try in %.1f s: %s", pause, error)
                self._troubled += 1
                try:
                    await self._wait(pause)
                finally:
                    self._troubled -= 1
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return True

    async def _store(self, entries: Sequence[Entry], *, patient: bool) -> None:
        by_tenant: defaultdict[int, list[Delivery]] = defaultdict(list)
        for entry in entries:
            for delivery in entry.deliveries:
                by_tenant[delivery.tenant_id].append(delivery)
        worn_out = all(entry.attempts >= TOO_OFTEN for entry in entries)
        for tenant_id, deliveries in by_tenant.items():
            if worn_out:
                stored = await self._isolation.bury_all(tenant_id, deliveries, "Nobody survived its processing.")
            else:
                stored = await self._store_of_tenant(tenant_id, deliveries, patient=patient)
            self._note_lag(deliveries)
            await self._tell(tenant_id, stored)

    def _note_lag(self, deliveries: Sequence[Delivery]) -> None:
        now = time.time()
        for delivery in deliveries:
            self._metrics.lag_seconds.observe(max(0.0, now - delivery.received_ms / 1000))

    async def _store_of_tenant(self, tenant_id: int, deliveries: Sequence[Delivery], *, patient: bool) -> Stored:
        for attempt in range(1, COLLISIONS + 1):
            try:
                return await self._pipeline.run(tenant_id, deliveries)
            except Exception as error:
                if is_collision(error) and attempt < COLLISIONS:
                    continue
                if is_passing(error):
                    raise
                logger.warning("a batch of %d deliveries failed and is taken apart: %s", len(deliveries), error)
                return await self._isolation.run(tenant_id, deliveries, error, patient=patient)
        raise AssertionError("the last attempt returns or raises")

    async def _tell(self, tenant_id: int, stored: Stored) -> None:
        """Count, and let open pages know. Nothing depends on it, so nothing here may fail the batch."""
        outcomes = self._metrics.processed_events
        outcomes.labels("stored").inc(len(stored.events))
        outcomes.labels("duplicate").inc(stored.duplicates)
        outcomes.labels("suppressed").inc(stored.suppressed)
        outcomes.labels("dead").inc(stored.dead)
        if stored.events:
            try:
                await live.publish(self._redis, tenant_id, LIVE_KIND, live_summary(stored.events))
            except Exception as error:
                logger.info("open pages were not told of %d events: %s", len(stored.events), error)

    async def _acknowledge(self, entries: Sequence[Entry]) -> None:
        """Keep trying: entries that stay would be handed out again, which costs but does no harm."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._queue.acknowledge(entries)
            except QueueUnavailable as error:
                if self._stopping.is_set():
                    return
                logger.warning("stored entries cannot be acknowledged, next try in %.1f s: %s", pause, error)
                await self._wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                return

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def _parts(entries: Sequence[Entry]) -> Iterable[Sequence[Entry]]:
    """All at once, but each by itself that was tried often: whatever it does to us, it does to nobody else's events."""
    together = [entry for entry in entries if entry.attempts < OFTEN]
    if together:
        yield together
    for entry in entries:
        if entry.attempts >= OFTEN:
            yield [entry]
