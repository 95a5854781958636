"""Answers `Events`: pages of whole events. Which ones is found out in SQL where that is quick, else in frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

import numpy as np
from sqlalchemy import TextClause, text

from chatnation.core.identity import queries
from chatnation.core.query.answers import EventsAnswer
from chatnation.core.query.evaluate.local import LocalFrame, loadable
from chatnation.core.query.evaluate.rows import load, need_of, picked, relevant
from chatnation.core.query.event_rows import LAST, Among, Place, count_at, events_at, place_of, places_of
from chatnation.core.query.frame import Frame, Rows
from chatnation.core.query.model import Events
from chatnation.core.query.segments.loader import SegmentLoader
from chatnation.core.query.store import QueryRefused

_FIRST_STRETCH = timedelta(hours=3)
"""Of time that is looked through for a page, to begin with; then twice as much, and so on."""
_MICROSECOND = timedelta(microseconds=1)


async def answer(query: Events, loader: SegmentLoader) -> EventsAnswer:
    """A page of events. Raises QueryRefused where the question makes no sense."""
    if query.source != "events":
        raise QueryRefused("Only events can be listed.")
    connection = await loader.connection()
    leafs: tuple[UUID, ...] = ()
    if query.person_id is not None:
        leafs = tuple(await queries.leaf_ids(connection, loader.tenant_id, query.person_id))
    after = None if query.after is None else Place.read(query.after)
    page = _Page(query, loader, leafs, after)
    if query.select.first and leafs:
        raise QueryRefused("The events of one person are listed without `first`.")
    if query.filters or query.select.filters or query.select.first:
        places = await page.by_frames()
    else:
        places = await page.by_statement()
    shown = places[: query.limit]
    rows = await events_at(connection, loader.tenant_id, shown)
    return EventsAnswer(tuple(rows), shown[-1].cursor if len(places) > query.limit else None)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a person's events, or without leafs of everybody's, that comes after a place."""

    query: Events
    loader: SegmentLoader
    leafs: tuple[UUID, ...]
    after: Place | None

    async def by_statement(self) -> list[Place]:
        """The page and one more, where nothing but names, persons and bots narrows it."""
        query = self.query
        about = {
            "tenant": self.loader.tenant_id,
            "start": query.range.start,
            "end": query.range.end,
            "names": list(query.select.events),
            "leafs": list(self.leafs),
            "limit": query.limit + 1,
        }
        if self.after is not None:
            about |= {"time": self.after.timestamp, "sequence": self.after.sequence, "id": self.after.message_id}
        rows = await (await self.loader.connection()).execute(self._statement(), about)
        return [place_of(*row) for row in rows]

    def _statement(self) -> TextClause:
        """Keys of the events, in order. Each way to them is by one index, whatever the statistics say."""
        query = self.query
        conditions = ["tenant_id = :tenant", "timestamp >= :start", "timestamp < :end"]
        if not query.include_bots:
            conditions.append("NOT is_bot")
        if self.after is not None:
            sign = ">" if query.oldest_first else "<"
            conditions.append(
                f"timestamp {sign}= :time AND (timestamp {sign} :time"
                f" OR (coalesce(CAST(sequence AS int8), {LAST}), message_id) {sign} (:sequence, :id))"
            )
        order = "timestamp, sequence NULLS LAST, message_id"
        if not query.oldest_first:
            order = "timestamp DESC, sequence DESC NULLS FIRST, message_id DESC"
        if self.leafs:
            conditions.append("person_id = ANY (:leafs)")
            if query.select.events:
                conditions.append("event_name = ANY (:names)")
            found = f"{_KEYS} WHERE {' AND '.join(conditions)} OFFSET 0"
        elif query.select.events:
            conditions.append("name_hash = event_name_hash(wanted.name) AND event_name = wanted.name")
            found = (
                "SELECT each.* FROM unnest(CAST(:names AS text[])) AS wanted (name) CROSS JOIN LATERAL"
                f" ({_KEYS} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT :limit) AS each"
            )
        else:
            found = f"{_KEYS} WHERE {' AND '.join(conditions)}"
        return text(f"SELECT * FROM ({found}) AS found ORDER BY {order} LIMIT :limit")

    async def by_frames(self) -> list[Place]:
        """The page and one more, whatever narrows it."""
        query, loader = self.query, self.loader
        among = Among(tuple(dict.fromkeys(query.select.events)), self.leafs)
        places: list[Place] = []
        async for frame in self._frames():
            rows = picked(frame, relevant(frame, query), query.select, "events").rows
            rows = await self._after(frame, rows, among)
            rows = rows[: query.limit + 1 - len(places)]
            places += await places_of(await loader.connection(), loader.tenant_id, frame.time, rows, among)
            if len(places) > query.limit:
                break
        return places

    async def _frames(self) -> AsyncIterator[LocalFrame]:
        """The time of the question in stretches, those first that are looked at first."""
        query = self.query
        need = loadable(need_of(query, [query.select]))
        zone = query.range.zone
        if query.select.first:
            yield await load(query, self.loader, need, [query.select])
            return
        if self.leafs:
            frame: Frame = await self.loader.load_of_leafs(
                self.leafs, query.range.start, query.range.end, need, query.select.events
            )
            yield LocalFrame(frame, zone)
            return
        for start, end in self._stretches():
            yield LocalFrame(await self.loader.load(start, end, need, query.select.events), zone)

    def _stretches(self) -> Sequence[tuple[datetime, datetime]]:
        start, end = self.query.range.start, self.query.range.end
        if self.after is not None and self.query.oldest_first:
            start = max(start, self.after.timestamp)
        elif self.after is not None:
            end = min(end, self.after.timestamp + _MICROSECOND)
        found: list[tuple[datetime, datetime]] = []
        for doubled in count():
            if start >= end:
                return found
            length = _FIRST_STRETCH * 2**doubled
            if self.query.oldest_first:
                found.append((start, min(end, start + length)))
                start = found[-1][1]
            else:
                found.append((max(start, end - length), end))
                end = found[-1][0]
        raise AssertionError

    async def _after(self, frame: Frame, rows: Rows, among: Among) -> Rows:
        """Those of the rows, which are in order, that come after the last page, in the order of the listing."""
        if self.after is not None:
            low, high = np.searchsorted(frame.time, (self.after.time, self.after.time + 1)).tolist()
            before = until = 0
            if low < high:
                connection = await self.loader.connection()
                before, until = await count_at(connection, self.loader.tenant_id, self.after, among)
            rows = rows[rows >= low + until] if self.query.oldest_first else rows[rows < low + before]
        return rows if self.query.oldest_first else rows[::-1]


_KEYS = "SELECT timestamp, sequence, message_id FROM events"
