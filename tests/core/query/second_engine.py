"""An event store that knows nothing of PostgreSQL, and nothing of events: it says what it was told to say.

With it in charge, whatever asks for answers works as with any other, or it looked behind the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from typing import Any

from chatnation import App, Plugin, hookimpl
from chatnation.query import Answer, EventStoreDriver, Query, QueryRefused, UnknownField

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


def unknown_field(query: object, now: datetime) -> Answer:
    """What stores do with a field that there is not."""
    raise UnknownField("There is no field 'no_such' of events.")


def plugin_with(store: FixedStore) -> type[Plugin]:
    """A plugin that registers a store under the name `fixed`."""

    class SecondEngine(Plugin):
        """Another engine

        For tests.
        """

        name = "second_engine"

        @hookimpl
        def register_event_stores(self) -> list[EventStoreDriver]:
            def create(app: App) -> FixedStore:
                return store

            return [EventStoreDriver("fixed", create)]

    return SecondEngine
