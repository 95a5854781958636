"""The log between collector and processor, on Redis Streams (Redis 7 or Valkey 8 and newer)."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from chatnation.core.errors import QueueUnavailable
from chatnation.core.ingestion.event import Delivery
from chatnation.core.queue import keys, scripts
from chatnation.core.queue.base import Entry
from chatnation.core.queue.consumers import ConsumerName
from chatnation.core.queue.pipeline import Argument, Pipeline
from chatnation.core.settings import Settings

logger = logging.getLogger(__name__)

ENTRY_EVENTS = 1_000
ENTRY_BYTES = 1_000_000
"""A stream entry holds no more than this, unless a single delivery does."""
TIMEOUT_SECONDS = 5.0
_LONGEST_BLOCK_MS = 3_000
_READ_ENTRIES = 64
_FORGET_AFTER_MS = 3_600_000
_LOOK_FOR_CONSUMERS_SECONDS = 60.0

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Delivery, ...]).decode


class RedisQueue:
    """An `EventQueue`. `base_name` names this machine among the readers.

    Nothing is ever trimmed: an entry leaves when it is acknowledged, and a full stream refuses new ones. Failed
    commands are not repeated here, since a repeated append would be a second entry.
    """

    def __init__(self, url: str, *, max_events: int, base_name: str, partitions: int = 1) -> None:
        self._redis: Redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            health_check_interval=0,
        )
        self._max_events = max_events
        self._partitions = partitions
        self._appends = Pipeline(url, timeout=TIMEOUT_SECONDS)
        self._acknowledge = self._redis.register_script(scripts.ACKNOWLEDGE)
        self._set_aside = self._redis.register_script(scripts.SET_ASIDE)
        self._make = self._redis.register_script(scripts.MAKE_GROUP)
        self._forget = self._redis.register_script(scripts.FORGET_CONSUMER)
        self._consumer = ConsumerName(self._redis, base_name)
        self._left_behind: dict[int, list[str]] = {}
        self._looked_at: dict[int, float] = {}
        self._events_per_entry = 50.0

    @classmethod
    def create(cls, settings: Settings, consumer: str) -> RedisQueue:
        """The queue of an instance, for `QueueDriver`."""
        return cls(
            settings.redis_url or "",
            max_events=settings.stream_max_events,
            base_name=consumer,
            partitions=settings.stream_partitions,
        )

    def publish(self, partition: int, deliveries: Sequence[Delivery]) -> Coroutine[Any, Any, None]:
        """Append the deliveries; returns when the stream has them. Raises QueueUnavailable, also when it is full.

        They are under way as soon as this is called: what is awaited is the stream's word.
        """
        commands = [self._append(partition, entry) for entry in _entries(deliveries)]
        return self._appended([(command, self._appends.send(*command)) for command in commands])

    def _append(self, partition: int, entry: Sequence[Delivery]) -> tuple[Argument, ...]:
        return (
            *(b"EVALSHA", scripts.PUBLISH_SHA, 3),
            *(keys.stream(partition), keys.depth(partition), keys.changed_minutes(partition)),
            self._max_events,
            keys.ledger(partition),
            _encode(entry),
            sum(delivery.count for delivery in entry),
            *_counts(delivery for delivery in entry if not delivery.replays),
            "",
            *_counts(delivery for delivery in entry if delivery.replays),
        )

    async def _appended(self, commands: Sequence[tuple[tuple[Argument, ...], Awaitable[Any]]]) -> None:
        async with self._translated():
            for command, reply in commands:
                try:
                    await reply
                except NoScriptError:
                    await self._appends.send(b"EVAL", scripts.PUBLISH, *command[2:])

    async def read(self, partition: int, *, max_events: int, wait_ms: int) -> list[Entry]:
        """Entries that nobody has read yet, about `max_events` events; empty if none came within `wait_ms`."""
        stream, entries, events = keys.stream(partition), list[Entry](), 0
        block: int | None = min(max(wait_ms, 1), _LONGEST_BLOCK_MS)
        async with self._translated(partition):
            consumer = await self._prepare(partition)
            while events < max_events:
                count = self._entry_count(max_events - events)
                reply: Any = await self._redis.xreadgroup(keys.GROUP, consumer, {stream: ">"}, count=count, block=block)
                found = reply[0][1] if reply else []
                parsed = await self._parse(partition, found, {})
                entries += parsed
                events += sum(entry.events for entry in parsed)
                block = None
                if len(found) < count:
                    break
        return entries

    async def claim(self, partition: int, *, idle_ms: int, max_events: int) -> list[Entry]:
        """Entries that were handed out and not acknowledged for `idle_ms`, now ours.

        After a restart, first those that this process's predecessor held, however fresh.
        """
        entries, events = dict[str, Entry](), 0
        async with self._translated(partition):
            consumer = await self._prepare(partition)
            await self._forget_the_dead(partition, consumer)
            while events < max_events:
                count = self._entry_count(max_events - events)
                claimed = await self._claim_page(partition, consumer, idle_ms, count)
                fresh = {entry.id: entry for entry in claimed if entry.id not in entries}
                entries |= fresh
                events += sum(entry.events for entry in fresh.values())
                if len(fresh) < count:
                    break
        return list(entries.values())

    async def _claim_page(self, partition: int, consumer: str, idle_ms: int, count: int) -> list[Entry]:
        if left := self._left_behind[partition][:count]:
            idle_ms = 0
            attempts = await self._held(partition, count, first=left[0], last=left[-1], consumername=consumer)
            del self._left_behind[partition][:count]
        else:
            attempts = await self._held(partition, count, idle=idle_ms)
        if not attempts:
            return []
        found: Any = await self._redis.xclaim(keys.stream(partition), keys.GROUP, consumer, idle_ms, [*attempts])
        return await self._parse(partition, found, attempts)

    async def acknowledge(self, entries: Sequence[Entry]) -> None:
        """Delete entries that were dealt with; may be repeated."""
        by_partition: dict[int, list[Entry]] = {}
        for entry in entries:
            by_partition.setdefault(entry.partition, []).append(entry)
        async with self._translated():
            for partition, done in by_partition.items():
                await self._acknowledge(
                    keys=[keys.stream(partition), keys.depth(partition), keys.changed_minutes(partition)],
                    args=[keys.GROUP, keys.ledger(partition), *chain.from_iterable(map(_acknowledgement, done))],
                )

    async def depth(self) -> Mapping[int, int]:
        """Events that wait or are being processed, by partition."""
        async with self._translated():
            partitions = range(self._partitions)
            values = [await self._redis.get(keys.depth(partition)) for partition in partitions]
            return {partition: int(value or 0) for partition, value in zip(partitions, values, strict=True)}

    async def oldest_ms(self) -> int | None:
        """When the oldest waiting entry was appended, in Unix milliseconds; None if nothing waits."""
        async with self._translated():
            firsts: list[Any] = [await self._redis.xrange(keys.stream(n), count=1) for n in range(self._partitions)]
        times = [int(found[0][0].partition(b"-")[0]) for found in firsts if found]
        return min(times, default=None)

    async def close(self) -> None:
        """Give back the consumer's name and close the connections."""
        with suppress(RedisError, OSError):
            await self._consumer.release()
        await self._appends.close()
        await self._redis.aclose()

    async def _prepare(self, partition: int) -> str:
        """Our consumer name. The first time, makes the group and notes what a predecessor of that name left."""
        consumer = await self._consumer.get()
        if partition not in self._left_behind:
            await self._make_group(partition)
            self._left_behind[partition] = await self._left_by(partition, consumer)
        return consumer

    async def _make_group(self, partition: int) -> None:
        try:
            await self._make(keys=[keys.stream(partition)], args=[keys.GROUP])
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def _left_by(self, partition: int, consumer: str) -> list[str]:
        left: list[str] = []
        while page := await self._held(partition, 1_000, first=f"({left[-1]}" if left else "-", consumername=consumer):
            left.extend(page)
        return left

    async def _held(
        self, partition: int, count: int, *, first: str = "-", last: str = "+", **filters: Any
    ) -> dict[str, int]:
        """Entries in consumers' hands, with the number of the attempt that would come next."""
        pending: Any = await self._redis.xpending_range(
            keys.stream(partition), keys.GROUP, min=first, max=last, count=count, **filters
        )
        return {item["message_id"].decode(): item["times_delivered"] + 1 for item in pending}

    async def _forget_the_dead(self, partition: int, ourselves: str) -> None:
        """Delete consumers that read nothing for long and hold nothing."""
        now = time.monotonic()
        if now - self._looked_at.get(partition, -_LOOK_FOR_CONSUMERS_SECONDS) < _LOOK_FOR_CONSUMERS_SECONDS:
            return
        self._looked_at[partition] = now
        stream = keys.stream(partition)
        consumers: Any = await self._redis.xinfo_consumers(stream, keys.GROUP)
        for consumer in consumers:
            name = consumer["name"].decode()
            if name != ourselves and consumer["idle"] > _FORGET_AFTER_MS and not consumer["pending"]:
                await self._forget(keys=[stream], args=[keys.GROUP, name])

    def _entry_count(self, max_events: int) -> int:
        return min(max(1, int(max_events / self._events_per_entry)), _READ_ENTRIES)

    async def _parse(
        self, partition: int, found: Iterable[tuple[bytes, dict[bytes, bytes]]], attempts: Mapping[str, int]
    ) -> list[Entry]:
        entries: list[Entry] = []
        for raw_id, fields in found:
            entry_id = raw_id.decode()
            try:
                deliveries = _decode(fields.get(keys.FIELD, b""))
            except msgspec.MsgspecError as error:
                logger.error("stream entry %s is unreadable and was set aside: %s", entry_id, error)
                await self._put_aside(partition, entry_id, fields)
                continue
            entry = Entry(entry_id, partition, deliveries, attempts.get(entry_id, 1))
            self._events_per_entry = max(1.0, 0.9 * self._events_per_entry + 0.1 * entry.events)
            entries.append(entry)
        return entries

    async def _put_aside(self, partition: int, entry_id: str, fields: Mapping[bytes, bytes]) -> None:
        raw = fields.get(keys.FIELD) or msgspec.msgpack.encode(list(fields.items()))
        await self._set_aside(
            keys=[keys.stream(partition), keys.unreadable(partition)], args=[keys.GROUP, entry_id, raw]
        )

    @asynccontextmanager
    async def _translated(self, partition: int | None = None) -> AsyncIterator[None]:
        """Errors of the server, of the network and of a full stream as QueueUnavailable."""
        try:
            yield
        except ResponseError as error:
            if str(error).startswith(scripts.FULL):
                raise QueueUnavailable(f"The stream is full: {error}", retry_after=5) from error
            if partition is not None and "NOGROUP" in str(error):
                self._left_behind.pop(partition, None)  # The server lost its data; the next call makes the group anew.
            raise QueueUnavailable(f"The stream refused a command: {error}") from error
        except (RedisError, OSError) as error:
            raise QueueUnavailable(f"The stream is out of reach: {error}") from error


def _entries(deliveries: Sequence[Delivery]) -> Iterable[list[Delivery]]:
    """Cut a group into entries of bearable size, in order."""
    entry: list[Delivery] = []
    events = size = 0
    for delivery in deliveries:
        if entry and (events + delivery.count > ENTRY_EVENTS or size + len(delivery.body) > ENTRY_BYTES):
            yield entry
            entry, events, size = [], 0, 0
        entry.append(delivery)
        events += delivery.count
        size += len(delivery.body)
    if entry:
        yield entry


def _counts(deliveries: Iterable[Delivery]) -> Iterable[str | int]:
    """Minute, project and number of events, flat, as the scripts take them."""
    totals: dict[tuple[int, int, int], int] = {}
    for delivery in deliveries:
        key = (delivery.received_ms // 60_000, delivery.tenant_id, delivery.project_id)
        totals[key] = totals.get(key, 0) + delivery.count
    for (minute, tenant, project), events in totals.items():
        yield from (minute, f"{tenant}/{project}", events)


def _acknowledgement(entry: Entry) -> list[str | int]:
    counts = list(_counts(entry.deliveries))
    return [entry.id, len(counts) // 3, *counts]
