"""Event stores that know nothing of PostgreSQL: one says what it was told to say, one counts what is in a list.

With either in charge, whatever asks for answers works as with any other, or it looked behind the service.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from chatnation import App, Plugin, hookimpl
from chatnation.core.query.checks import question_of
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.query import (
    Answer,
    Catalogue,
    CatalogueAnswer,
    CataloguedEvent,
    EventRow,
    Events,
    EventsAnswer,
    EventStore,
    EventStoreDriver,
    Query,
    QueryRefused,
    Range,
    Selection,
    Source,
    UnknownField,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.plain import meets, selected
from tests.core.query.recount.by_kind import RECOUNTS, recounted

Answering = Callable[[Any, datetime], Answer]


class FixedStore:
    """An `EventStore` that has an answer, or a way to make one, for each class of questions.

    `asked` are the questions that it was asked for an answer to. `gate`: while it is closed, answers wait. `stamps`
    are the stamps of tenants, 0 unless set.
    """

    def __init__(self, answers: Mapping[type[Any], Answer | Answering]) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[int, Query]] = []
        self.stamps: dict[int, Hashable] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_work = 0
        self.most_at_work = 0
        self.given_up = 0

    async def answer(self, tenant_id: int, query: Query, now: datetime) -> Answer:
        self.asked.append((tenant_id, query))
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            await self.gate.wait()
            return self._answer(query, now)
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        finally:
            self.at_work -= 1

    async def stamp(self, tenant_id: int, query: Query) -> Hashable:
        return self.stamps.get(tenant_id, 0)

    def _answer(self, query: Query, now: datetime) -> Answer:
        found = self.answers.get(type(query))
        if found is None:
            raise QueryRefused(f"Nobody told me what to say to {type(query).__name__}.")
        return found(query, now) if callable(found) else found


class ListStore:
    """An `EventStore` that counts the events and the sessions of two lists, which nobody sent to the product."""

    def __init__(self, events: Sequence[PlainEvent], sessions: Sequence[PlainEvent] = ()) -> None:
        self.rows: dict[Source, list[PlainEvent]] = {"events": list(events), "sessions": list(sessions)}

    async def answer(self, tenant_id: int, query: Query, now: datetime) -> Answer:
        if isinstance(query, Events):
            return EventsAnswer(tuple(map(_event_row, self._found(query, query.select)[: query.limit])), None)
        if isinstance(query, Catalogue):
            names = Counter(event.name for event in self._found(query, Selection()))
            return CatalogueAnswer(tuple(_catalogued(name, count, query.range) for name, count in names.most_common()))
        return await evaluate(query, PlainLoader(self.rows[question_of(query).source]), now)

    async def stamp(self, tenant_id: int, query: Query) -> Hashable:
        return len(self.rows["events"]), len(self.rows["sessions"])

    def _found(self, query: Events | Catalogue, select: Selection) -> list[PlainEvent]:
        """Newest first."""
        zone = query.range.zone
        found = [
            event
            for event in self.rows["events"]
            if query.range.start <= event.time < query.range.end
            and all(meets(event, condition, zone) for condition in query.filters)
            and selected(event, select, zone)
        ]
        return sorted(found, key=lambda event: event.place, reverse=True)


class RecountStore(ListStore):
    """A `ListStore` that counts by the oracles in plain Python, all but the rows and names of events."""

    async def answer(self, tenant_id: int, query: Query, now: datetime) -> Answer:
        if query.kind not in RECOUNTS:
            return await super().answer(tenant_id, query, now)
        return await asyncio.to_thread(recounted, query, self.rows[question_of(query).source], now)


def _event_row(event: PlainEvent) -> EventRow:
    given: dict[str, Any] = {field.name: event.value(field.name) for field in fields(EventRow)}
    told = {"timestamp": event.time, "received_at": event.time, "event_name": event.name, "event_type": "track"}
    flags = {name: getattr(event, name) for name in ("is_bot", "journey_start", "journey_end")}
    ids = {"message_id": UUID(int=event.message_id), "person_id": UUID(event.person) if event.person else None}
    return EventRow(**{**given, "project_id": 1, "properties": event.properties, **told, **flags, **ids})


def _catalogued(name: str, count: int, stretch: Range) -> CataloguedEvent:
    return CataloguedEvent(name, count, 0, stretch.start, stretch.end, {}, {}, ())


def unknown_field(query: object, now: datetime) -> Answer:
    """What stores do with a field that there is not."""
    raise UnknownField("There is no field 'no_such' of events.")


def plugin_with(store: EventStore) -> type[Plugin]:
    """A plugin that registers a store under the name `fixed`."""

    class SecondEngine(Plugin):
        """Another engine

        For tests.
        """

        name = "second_engine"

        @hookimpl
        def register_event_stores(self) -> list[EventStoreDriver]:
            def create(app: App) -> EventStore:
                return store

            return [EventStoreDriver("fixed", create)]

    return SecondEngine
