"""Server-sent events: open pages hear what happens, and resume without a gap after a lost connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import StreamingResponse

from chatnation.core.live import LiveMessage, live_key, read_entry

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
"""A comment line this often keeps proxies from closing the connection, and finds out that a browser is gone."""
RECONNECT_MS = 2_000
_BLOCK_MS = 5_000
_RETRY_SECONDS = 1.0
_BACKLOG = 500
_FIRST = "0-0"

GAP = "gap"
"""Kind of the message that says: you missed some, load the page's data again."""


class LiveHub:
    """Reads each tenant's stream once per process, however many pages of the tenant are open."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._channels: dict[int, _Channel] = {}
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every open response, so that the server can stop; browsers reconnect to another process."""
        self._closing.set()

    async def messages(
        self, tenant_id: int, *, after: str | None = None, heartbeat: float = HEARTBEAT_SECONDS
    ) -> AsyncIterator[LiveMessage | None]:
        """The tenant's messages from now on, or those after the id `after`; None when nothing came for a while.

        Ends when the hub closes, or when the reader is too slow to keep up. Starts with a `GAP` message when some
        messages after `after` are no longer kept.
        """
        channel = self._channels.setdefault(tenant_id, _Channel(self._redis, live_key(tenant_id)))
        async with channel.subscribe() as queue:
            last = _FIRST
            if after is not None and _order(after) > (0, 0):
                last = after
                async for message in _missed(self._redis, live_key(tenant_id), after):
                    last = message.id
                    yield message
            while not self._closing.is_set():
                heard = await self._next(queue, heartbeat)
                if heard is _TOO_SLOW:
                    return
                if heard is None or _order(heard.id) > _order(last):
                    yield heard

    async def _next(self, queue: Queue, heartbeat: float) -> LiveMessage | None:
        getting = asyncio.ensure_future(queue.get())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            done, _ = await asyncio.wait({getting, closing}, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            return getting.result() if getting in done else None
        finally:
            getting.cancel()
            closing.cancel()

    def response(self, request: Request, tenant_id: int, *, kinds: Collection[str] | None = None) -> StreamingResponse:
        """The tenant's messages as server-sent events, only those of `kinds` where given."""

        async def wanted() -> AsyncIterator[LiveMessage | None]:
            async for message in self.messages(tenant_id, after=resume_point(request)):
                if message is None or kinds is None or message.kind in kinds or message.kind == GAP:
                    yield message

        return event_stream(wanted())

    def stream(self, items: AsyncIterator[tuple[str, bytes] | None]) -> StreamingResponse:
        """Messages of the caller's own, each a kind and JSON as bytes, as server-sent events; None keeps it open."""

        async def messages() -> AsyncIterator[LiveMessage | None]:
            async for item in items:
                yield LiveMessage("", *item) if item else None

        return event_stream(messages())


HEARTBEAT = b": still here\n\n"


def resume_point(request: Request) -> str | None:
    """The last message that the browser got: by header when it reconnects itself, in the address when a script does."""
    return request.headers.get("last-event-id") or request.query_params.get("after")


def opening() -> bytes:
    """The first lines of a stream: how long the browser waits before it connects again."""
    return f"retry: {RECONNECT_MS}\n\n".encode()


def encode_message(message: LiveMessage) -> bytes:
    """A message in the format of server-sent events; JSON has no raw line breaks, so one data line is enough."""
    identity = f"id: {message.id}\n" if message.id else ""
    return f"{identity}event: {message.kind}\ndata: ".encode() + message.data.replace(b"\n", b" ") + b"\n\n"


def event_stream(messages: AsyncIterator[LiveMessage | None]) -> StreamingResponse:
    """`messages` as a server-sent event response that no proxy buffers; None is a sign of life."""

    async def body() -> AsyncIterator[bytes]:
        yield opening()
        async for message in messages:
            yield HEARTBEAT if message is None else encode_message(message)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(body(), media_type="text/event-stream", headers=headers)


Queue = asyncio.Queue[LiveMessage]


class _Channel:
    """One tenant's stream: a reading task while somebody listens, and the queues of those who do."""

    def __init__(self, redis: Redis, key: str) -> None:
        self._redis = redis
        self._key = key
        self._queues: set[Queue] = set()
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Queue]:
        queue: Queue = asyncio.Queue(_BACKLOG)
        async with self._starting:
            if self._reading is None:
                newest = await self._newest()
                self._reading = asyncio.create_task(self._read(newest), name=f"read {self._key}")
            self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)
            if not self._queues and self._reading is not None:
                self._reading.cancel()
                self._reading = None

    async def _newest(self) -> str:
        """The id of the newest entry. `$` would miss what comes between two reads."""
        with contextlib.suppress(RedisError):
            for message in _read_all(await self._redis.xrevrange(self._key, count=1)):
                return message.id
        return _FIRST

    async def _read(self, last: str) -> None:
        while True:
            try:
                answer = await self._redis.xread({self._key: last}, block=_BLOCK_MS, count=_BACKLOG)
            except (RedisError, OSError) as error:
                logger.warning("live updates of %s wait for Redis: %s", self._key, error)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for message in _entries(answer):
                last = message.id
                self._hand_out(message)

    def _hand_out(self, message: LiveMessage) -> None:
        for queue in list(self._queues):
            try:
                queue.put_nowait(message)
            except asyncio.QueueFull:
                # It will come back with its last id and get the rest from the stream.
                queue.get_nowait()
                queue.put_nowait(_TOO_SLOW)
                self._queues.discard(queue)


_TOO_SLOW = LiveMessage("", "too_slow", b"{}")


async def _missed(redis: Redis, key: str, after: str) -> AsyncIterator[LiveMessage]:
    try:
        if await _trimmed_beyond(redis, key, after):
            yield LiveMessage(after, GAP, b"{}")
        entries = await redis.xrange(key, min=f"({after}")
    except RedisError:
        return
    for message in _read_all(entries):
        yield message


async def _trimmed_beyond(redis: Redis, key: str, after: str) -> bool:
    """Whether the stream may have dropped an entry that came after `after`."""
    if not await redis.exists(key):
        return False
    state = await redis.xinfo_stream(key)
    first = state["first-entry"]
    complete = state["entries-added"] == state["length"]
    return not complete and (first is None or _order(read_entry(*first).id) > _order(after))


def _entries(answer: object) -> list[LiveMessage]:
    """Entries from XREAD, which answers a map under RESP3 and a list of pairs under RESP2."""
    if not answer:
        return []
    groups = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer]  # type: ignore[attr-defined]
    found: list[LiveMessage] = []
    for entries in groups:
        # RESP3 wraps the entries of a stream once more.
        flat = entries[0] if entries and isinstance(entries[0], list) else entries
        found.extend(_read_all(flat))
    return found


def _read_all(entries: Any) -> list[LiveMessage]:
    return [read_entry(entry_id, fields) for entry_id, fields in entries or ()]


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    try:
        return int(milliseconds), int(sequence or 0)
    except ValueError:
        return (0, 0)
