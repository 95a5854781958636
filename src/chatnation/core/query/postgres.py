"""The event store that everybody has: answers from frames of segments and rows in PostgreSQL."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import TYPE_CHECKING

from chatnation.core.query import catalogue, listing
from chatnation.core.query.answers import Answer
from chatnation.core.query.checks import question_of
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.model import Catalogue, Events, Query
from chatnation.core.query.segments.loader import Engine, SegmentLoader
from chatnation.core.query.stamps import stamp

if TYPE_CHECKING:
    from chatnation.core.app import App


class PostgresEventStore:
    """An `EventStore` over the tables of the core and what plugins have copied to segments.

    One a process: it keeps columns in memory.
    """

    def __init__(self, app: App) -> None:
        self._engine = Engine.of(app)

    async def answer(self, tenant_id: int, query: Query, now: datetime) -> Answer:
        async with SegmentLoader.open(self._engine, tenant_id, question_of(query).source) as loader:
            if isinstance(query, Events):
                return await listing.answer(query, loader)
            if isinstance(query, Catalogue):
                return await catalogue.answer(query, loader)
            return await evaluate(query, loader, now)

    async def stamp(self, tenant_id: int, query: Query) -> Hashable:
        return await stamp(self._engine.storage, tenant_id, query)
