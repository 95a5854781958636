"""Stored events by their places: whole rows for pages of events, and the keys of rows of a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.answers import EventRow
from chatnation.core.query.frame import Rows, Times
from chatnation.core.query.store import QueryRefused

LAST = 2**32 - 1
"""Stands for no sequence number: such events come after those of the same time that have one."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an event stands in the order of events."""

    time: int
    sequence: int
    message_id: UUID

    @property
    def timestamp(self) -> datetime:
        return _EPOCH + self.time * _MICROSECOND

    @property
    def cursor(self) -> str:
        return f"{self.time:x}-{self.sequence:x}-{self.message_id.hex}"

    @classmethod
    def read(cls, cursor: str) -> Self:
        """The place that became the cursor; raises QueryRefused for other texts."""
        try:
            time, sequence, message_id = cursor.split("-")
            place = cls(int(time, 16), int(sequence, 16), UUID(hex=message_id))
            if place.cursor != cursor or place.sequence > LAST or not place.timestamp.timestamp() >= 0:
                raise ValueError(cursor)
        except (ValueError, OverflowError):
            raise QueryRefused("There is no page of events that begins there.") from None
        return place


@dataclass(frozen=True, slots=True)
class Among:
    """Which events the rows of a frame are: those with one of the names, of one of the leafs; empty: with any."""

    names: tuple[str, ...] = ()
    leafs: tuple[UUID, ...] = ()


async def places_of(
    connection: AsyncConnection, tenant_id: int, times: Times, rows: Rows, among: Among = Among()
) -> list[Place]:
    """The places of some rows of a frame, whose times are `times`.

    Rows of one time cannot be told apart by it, but their order is that of the events stored with this time.
    """
    wanted = times[rows]
    nth = (rows - np.searchsorted(times, wanted)).tolist()
    moments = sorted(set(wanted.tolist()))
    stored: dict[int, list[Place]] = {moment: [] for moment in moments}
    for place in await _places_at(connection, tenant_id, moments, among):
        stored[place.time].append(place)
    return [stored[moment][place] for moment, place in zip(wanted.tolist(), nth, strict=True)]


async def count_at(
    connection: AsyncConnection, tenant_id: int, place: Place, among: Among = Among()
) -> tuple[int, int]:
    """How many events of the same time come before a place, and how many up to it."""
    others = await _places_at(connection, tenant_id, [place.time], among)
    return sum(other < place for other in others), sum(other <= place for other in others)


async def events_at(connection: AsyncConnection, tenant_id: int, places: Sequence[Place]) -> list[EventRow]:
    """The events at some places, in the order of `places`."""
    if not places:
        return []
    about = {
        "tenant": tenant_id,
        "times": [place.timestamp for place in places],
        "ids": [place.message_id for place in places],
    }
    return [EventRow(**row) for row in (await connection.execute(_ROWS, about)).mappings()]


async def properties_at(connection: AsyncConnection, tenant_id: int, places: Sequence[Place]) -> list[dict[str, Any]]:
    """The properties of the events at some places, in the order of `places`."""
    about = {
        "tenant": tenant_id,
        "times": [place.timestamp for place in places],
        "ids": [place.message_id for place in places],
    }
    return list(await connection.scalars(_PROPERTIES, about)) if places else []


async def _places_at(connection: AsyncConnection, tenant_id: int, moments: Sequence[int], among: Among) -> list[Place]:
    times = [_EPOCH + moment * _MICROSECOND for moment in moments]
    about = {"tenant": tenant_id, "times": times, "names": list(among.names), "leafs": list(among.leafs)}
    return [place_of(*row) for row in await connection.execute(_PLACES, about)]


def place_of(timestamp: datetime, sequence: int | None, message_id: UUID) -> Place:
    """The place of an event."""
    return Place((timestamp - _EPOCH) // _MICROSECOND, LAST if sequence is None else sequence, message_id)


_PLACES = text(
    """
    SELECT e.timestamp, e.sequence, e.message_id
      FROM unnest(CAST(:times AS timestamptz[])) AS wanted (time)
     CROSS JOIN LATERAL (
        SELECT timestamp, sequence, message_id FROM events
         WHERE tenant_id = :tenant AND timestamp = wanted.time
           AND (cardinality(CAST(:names AS text[])) = 0 OR event_name = ANY (:names))
           AND (cardinality(CAST(:leafs AS uuid[])) = 0 OR person_id = ANY (:leafs))
        OFFSET 0
     ) AS e
     ORDER BY e.timestamp, e.sequence NULLS LAST, e.message_id
    """
)
_FOUND = """
      FROM unnest(CAST(:times AS timestamptz[]), CAST(:ids AS uuid[])) WITH ORDINALITY AS wanted (time, id, place)
     CROSS JOIN LATERAL (
        SELECT * FROM {table}
         WHERE tenant_id = :tenant AND timestamp = wanted.time AND message_id = wanted.id
        OFFSET 0
     ) AS e
     ORDER BY wanted.place
"""
_ROWS = text(f"SELECT {', '.join(f'e.{name}' for name in EventRow.__slots__)} {_FOUND.format(table='events_expanded')}")
_PROPERTIES = text(f"SELECT e.properties {_FOUND.format(table='events')}")
