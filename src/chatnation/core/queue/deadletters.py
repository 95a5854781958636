"""Deliveries that could not be stored, kept in the database until an operator has decided about them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, exists, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ingestion.event import Delivery
from chatnation.core.ingestion.ledger import DEAD, DROPPED, REJECTED, Tally, add_to_ledger, minute_of
from chatnation.core.ingestion.partitions import partition_of_delivery
from chatnation.core.ingestion.times import from_milliseconds
from chatnation.core.storage.models import dead_letters, tenants

if TYPE_CHECKING:
    from chatnation.core.app import App

_LONGEST_REASON = 2_000
_PAGE = 500
_letters = dead_letters.c
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Delivery).decode


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A delivery that could not be stored, of `events` events. `replays`: how often it was tried again before."""

    id: int
    tenant_id: int
    project_id: int
    delivery_id: UUID
    received_at: datetime
    buried_at: datetime
    events: int
    replays: int
    reason: str
    delivery: Delivery

    @property
    def body(self) -> Any:
        """The batch as JSON data; its text where it is no JSON."""
        try:
            return msgspec.json.decode(self.delivery.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self.delivery.body.decode("utf-8", "replace")


class DeadLetters:
    """Keeps, lists, replays and drops them. A `tenant_id` of None means every tenant, for the operator's commands."""

    def __init__(self, app: App) -> None:
        self._storage = app.storage
        self._queue = app.queue
        self._partitions = app.settings.stream_partitions

    async def bury(self, delivery: Delivery, reason: str) -> None:
        """Keep a delivery; once, however often it is called. Whoever calls it counts its events as dead."""
        values = {
            _letters.received_at: from_milliseconds(delivery.received_ms),
            _letters.tenant_id: delivery.tenant_id,
            _letters.project_id: delivery.project_id,
            _letters.events: delivery.count,
            _letters.replays: delivery.replays,
            _letters.delivery_id: UUID(bytes=delivery.id),
            _letters.reason: reason.replace("\0", "")[:_LONGEST_REASON],
            _letters.delivery: _encode(delivery),
        }
        # A tenant that was erased meanwhile leaves no letters behind.
        row = select(*(literal(value, column.type) for column, value in values.items())).where(
            exists().where(tenants.c.id == delivery.tenant_id)
        )
        async with self._storage.system("keep a dead letter") as connection:
            await connection.execute(upsert(dead_letters).from_select(list(values), row).on_conflict_do_nothing())

    async def list(self, tenant_id: int | None, *, limit: int = 100, before: int | None = None) -> list[DeadLetter]:
        """The latest letters; with `before` those older than the letter of that id."""
        query = select(dead_letters).order_by(_letters.id.desc()).limit(limit)
        if before is not None:
            query = query.where(_letters.id < before)
        async with self._door(tenant_id) as connection:
            return [_letter(row) for row in await connection.execute(_within(query, tenant_id))]

    async def get(self, tenant_id: int | None, letter_id: int) -> DeadLetter | None:
        """One letter, or None."""
        query = select(dead_letters).where(_letters.id == letter_id)
        async with self._door(tenant_id) as connection:
            row = (await connection.execute(_within(query, tenant_id))).one_or_none()
        return _letter(row) if row else None

    async def replay(self, tenant_id: int | None, ids: Sequence[int] | None = None) -> int:
        """Put letters (None: all there are now) back on the stream; gives the number of events.

        A letter is deleted once the stream has it; should that fail in between, another replay stores nothing twice.
        Raises QueueUnavailable.
        """
        events = 0
        async for letter in self._chosen(tenant_id, ids):
            again = msgspec.structs.replace(letter.delivery, replays=letter.replays + 1)
            await self._queue.publish(partition_of_delivery(again, self._partitions), [again])
            async with self._door(tenant_id) as connection:
                events += await _remove(connection, letter)
        return events

    async def drop(self, tenant_id: int | None, ids: Sequence[int] | None = None) -> int:
        """Delete letters (None: all there are now) for good; the ledger counts their events as rejected."""
        events = 0
        async for letter in self._chosen(tenant_id, ids):
            async with self._door(tenant_id) as connection:
                events += await _remove(connection, letter, REJECTED, DROPPED)
        return events

    async def _chosen(self, tenant_id: int | None, ids: Sequence[int] | None) -> AsyncIterator[DeadLetter]:
        """Letters by id, oldest first, a page at a time; not those that are buried meanwhile."""
        query = select(dead_letters).order_by(_letters.id).limit(_PAGE)
        if ids is not None:
            query = query.where(_letters.id.in_(ids))
        newest = await self.list(tenant_id, limit=1)
        last, end = 0, newest[0].id if newest else 0
        while True:
            page = query.where(_letters.id > last, _letters.id <= end)
            async with self._door(tenant_id) as connection:
                letters = [_letter(row) for row in await connection.execute(_within(page, tenant_id))]
            for letter in letters:
                yield letter
            if len(letters) < _PAGE:
                return
            last = letters[-1].id

    @asynccontextmanager
    async def _door(self, tenant_id: int | None) -> AsyncIterator[AsyncConnection]:
        if tenant_id is None:
            async with self._storage.system("dead letters of all tenants") as connection:
                yield connection
        else:
            async with self._storage.tenant(tenant_id) as connection:
                yield connection


async def _remove(connection: AsyncConnection, letter: DeadLetter, outcome: str = "", reason: str = "") -> int:
    """Delete a letter and move its events in the ledger from dead to `outcome`; gives their number."""
    gone = await connection.execute(delete(dead_letters).where(_letters.id == letter.id))
    if not gone.rowcount:
        return 0  # Somebody else was quicker.
    minute = minute_of(letter.delivery.received_ms)
    tallies = [Tally(letter.tenant_id, letter.project_id, minute, DEAD, -letter.events)]
    if outcome:
        tallies.append(Tally(letter.tenant_id, letter.project_id, minute, outcome, letter.events, reason))
    await add_to_ledger(connection, tallies)
    return letter.events


def _within(query: Any, tenant_id: int | None) -> Any:
    return query if tenant_id is None else query.where(_letters.tenant_id == tenant_id)


def _letter(row: Any) -> DeadLetter:
    return DeadLetter(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        delivery_id=row.delivery_id,
        received_at=row.received_at,
        buried_at=row.buried_at,
        events=row.events,
        replays=row.replays,
        reason=row.reason,
        delivery=_decode(row.delivery),
    )
