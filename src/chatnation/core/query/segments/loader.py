"""The loader of the PostgreSQL engine: frames out of segments, and out of rows where these are not up to date."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Frame, Need
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Source
from chatnation.core.query.segments.assembly import PERSON, VISITED, Assembly, Known, part_of
from chatnation.core.query.segments.cache import Cache, Made
from chatnation.core.query.segments.chunk import ENDED, LEAF, SESSION, TIME, VISIT
from chatnation.core.query.segments.client_fields import CLIENT, CLIENT_FIELDS, Clients
from chatnation.core.query.segments.contents import FIRST, LAST
from chatnation.core.query.segments.persons import People
from chatnation.core.query.segments.reading import Reading
from chatnation.core.query.segments.shards import Shelf
from chatnation.core.query.segments.source_rows import NAME, SourceRows
from chatnation.core.query.segments.sources import EVENTS, FactSource
from chatnation.core.query.segments.traits import Trait, read_trait, traits_version
from chatnation.core.storage.storage import Storage

if TYPE_CHECKING:
    from chatnation.core.app import App

NOTHING = SourceRows(Shelf(Cache(0), 0, ""), ())


@dataclass(frozen=True, slots=True)
class Engine:
    """What the questions of a process share. `sources` by name; that of sessions may be missing.

    `timeout`: seconds that a statement may take.
    """

    storage: Storage
    sources: dict[str, FactSource]
    cache: Cache
    timeout: float | None = None
    clients: Clients = field(default_factory=Clients)

    @classmethod
    def of(cls, app: App) -> Engine:
        """The engine of an app."""
        sources = {entry.item.name: entry.item for entry in app.resources.fact_sources}
        return cls(app.storage, sources, Cache(app.settings.query_columns_bytes), app.settings.query_timeout_seconds)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of a need: the parts that chunks of its source and those of the sessions of events have to have."""

    own: frozenset[str]
    of_sessions: frozenset[str]
    traits: frozenset[str]
    persons: bool

    @classmethod
    def of(cls, need: Need, source: Source) -> Parts:
        own, of_sessions, traits = {TIME}, set(), set()
        fields = [*need.columns, *need.numbers]
        fields += [Field.parse(actor, source) for actor in need.actors if actor not in (PERSON, VISITED)]
        for each in fields:
            if each.scope == "person":
                traits.add(each.name)
            elif each.scope == "session":
                of_sessions.add(each.name)
            elif source == "events" and each.scope == "column" and each.name in CLIENT_FIELDS:
                own.add(CLIENT)
            else:
                own.add(part_of(each))
        persons = bool(traits) or PERSON in need.actors
        if persons:
            own.add(LEAF)
        if VISITED in need.actors:
            (own if source == "sessions" else of_sessions).add(SESSION)
        if of_sessions:
            own |= {VISIT, NAME}
            of_sessions |= {TIME, ENDED, VISIT}
        return cls(frozenset(own), frozenset(of_sessions), frozenset(traits), persons)


class SegmentLoader:
    """Loads frames of one source of one tenant. All that it reads is of one moment: of the first thing it reads."""

    def __init__(self, engine: Engine, tenant_id: int, source: Source, stack: AsyncExitStack) -> None:
        self.tenant_id = tenant_id
        self._engine = engine
        self._source: Source = source
        self._stack = stack
        self._connection: AsyncConnection | None = None
        # Evaluators may load side by side, but a connection does one thing at a time.
        self._busy = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(cls, engine: Engine, tenant_id: int, source: Source) -> AsyncIterator[SegmentLoader]:
        """A loader for one question."""
        async with AsyncExitStack() as stack:
            yield cls(engine, tenant_id, source, stack)

    async def connection(self) -> AsyncConnection:
        """The connection, whose transaction sees what the frames show."""
        if self._connection is None:
            door = self._engine.storage.snapshot(self.tenant_id, timeout=self._engine.timeout)
            self._connection = await self._stack.enter_async_context(door)
        return self._connection

    async def load(
        self, start: datetime | None, end: datetime | None, need: Need, events: Collection[str] = ()
    ) -> Frame:
        """The rows from `start` up to `end`; see `frame.Loader`."""
        parts = Parts.of(need, self._source)
        low = FIRST if start is None else micros(start)
        high = LAST if end is None else micros(end)
        async with self._busy:
            connection = await self.connection()
            own = parts.own | {NAME} if events else parts.own
            rows = await self._rows(connection, self._source, low, high, own)
            if events:
                rows = await asyncio.to_thread(rows.named, frozenset(events))
            return await self._frame(connection, rows, need, parts)

    async def load_of_leafs(
        self,
        leafs: Sequence[UUID],
        start: datetime,
        end: datetime,
        need: Need,
        events: Collection[str] = (),
    ) -> Frame:
        """The events of a person, whose leafs these are."""
        parts = Parts.of(need, "events")
        async with self._busy:
            connection = await self.connection()
            reading = Reading(connection, self._engine.cache, self.tenant_id, EVENTS)
            shard = await reading.of_leafs(leafs, micros(start), micros(end))
            rows = SourceRows(Shelf(Cache(0), self.tenant_id, "events"), [shard])
            if events:
                rows = rows.named(frozenset(events))
            return await self._frame(connection, rows, need, parts)

    async def _frame(self, connection: AsyncConnection, rows: SourceRows, need: Need, parts: Parts) -> Frame:
        known = await self._known(connection, rows, parts)
        if self._source == "sessions":
            assembly = Assembly(rows, known)
        else:
            sessions = await self._sessions(connection, rows, parts)
            assembly = Assembly(rows, known, sessions)
        frame = await asyncio.to_thread(assembly.frame, need)
        self._keep(known)
        return frame

    async def _rows(
        self,
        connection: AsyncConnection,
        source: str,
        low: int,
        high: int,
        parts: frozenset[str],
        *,
        ending: bool = False,
    ) -> SourceRows:
        facts = self._engine.sources.get(source)
        if facts is None:
            return NOTHING
        reading = Reading(connection, self._engine.cache, self.tenant_id, facts)
        shards = await reading.shards(low, high, parts, ending=ending)
        return SourceRows(self._shelf(source), shards)

    async def _sessions(self, connection: AsyncConnection, rows: SourceRows, parts: Parts) -> SourceRows:
        """The sessions that events may belong to."""
        if not parts.of_sessions or not rows.size:
            return NOTHING
        times = rows.bounds(TIME)
        return await self._rows(connection, "sessions", times[0], times[1] + 1, parts.of_sessions, ending=True)

    async def _known(self, connection: AsyncConnection, rows: SourceRows, parts: Parts) -> Known:
        sessions = self._engine.sources.get("sessions")
        people = self._people()
        return Known(
            people,
            merges=await people.merges(connection, self.tenant_id) if parts.persons else None,
            traits={key: await self._trait(connection, key, people) for key in parts.traits},
            clients=await self._engine.clients.read(connection, rows.clients()) if CLIENT in parts.own else None,
            ignored=sessions.ignored if sessions is not None and parts.of_sessions else frozenset(),
        )

    def _keep(self, known: Known) -> None:
        """Keep what has grown, unless it has become too large."""
        cache = self._engine.cache
        if cache.get((self.tenant_id, "people")) is known.people:
            cache.put((self.tenant_id, "people"), known.people, known.people.nbytes)

    def _people(self) -> People:
        key = (self.tenant_id, "people")
        people: People | None = self._engine.cache.get(key)
        if people is None:
            people = People()
            self._engine.cache.put(key, people, people.nbytes)
        return people

    async def _trait(self, connection: AsyncConnection, key: str, people: People) -> Trait:
        version = await traits_version(connection, self.tenant_id)

        async def make() -> Made:
            trait = await read_trait(connection, self.tenant_id, key, people.leafs)
            return (people, trait), trait.nbytes

        # Its leafs have the numbers that these people know.
        kept: tuple[People, Trait] = await self._engine.cache.once(
            (self.tenant_id, "trait", key, version, id(people)), make
        )
        assert kept[0] is people
        return kept[1]

    def _shelf(self, source: str) -> Shelf:
        return Shelf(self._engine.cache, self.tenant_id, source)
