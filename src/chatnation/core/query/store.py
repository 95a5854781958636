"""Who answers: an event store, one of several drivers; and the service that plugins ask."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, overload

from chatnation.core.errors import Problem
from chatnation.core.query import answers, model

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatnation.core.app import App


class EventStore(Protocol):
    """Finds answers. What it does is its own business, as long as each answer equals a recount of the raw events.

    Raises QueryRefused for questions that make no sense, such as an unknown field.
    """

    async def answer(self, tenant_id: int, query: model.Query, now: datetime) -> answers.Answer:
        """The answer as of `now`, which decides what is still open."""
        ...

    async def stamp(self, tenant_id: int, query: model.Query) -> Hashable:
        """Something that differs whenever the answer may differ: answers are kept by it."""
        ...


@dataclass(frozen=True, slots=True)
class EventStoreDriver:
    """An event store that CHATNATION_EVENT_STORE may name; `create(app)` makes it."""

    name: str
    create: Callable[[App], EventStore]


class QueryRefused(Problem):
    """The question makes no sense, or is too large to be answered; the text says which part of it."""

    def __init__(self, detail: str, *, status: int = 422, code: str = "invalid_query") -> None:
        super().__init__(status, code, detail)


class Analytics(Protocol):
    """Answers questions within the limits of the instance. Plugins get it with `services.get(Analytics)`.

    Equal questions of one tenant share an answer until something changes. Raises QueryRefused, and Problem 429 and 504
    where a tenant asks too much at once, or for longer than is allowed. In a request of somebody who may not see
    persons it raises NamesPersons for a question that names some, and answers others without their names.
    """

    @overload
    async def ask(self, tenant_id: int, query: model.Timeseries) -> answers.TimeseriesAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Breakdown) -> answers.BreakdownAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Distribution) -> answers.DistributionAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Uniques) -> answers.UniquesAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Funnel) -> answers.FunnelAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.FunnelActors) -> answers.FunnelActorsAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.FunnelWalk) -> answers.FunnelWalkAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Retention) -> answers.RetentionAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Paths) -> answers.PathsAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Lifecycle) -> answers.LifecycleAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Stickiness) -> answers.StickinessAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.ActorsQuery) -> answers.ActorsAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Intervals) -> answers.IntervalsAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Outcomes) -> answers.OutcomesAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Events) -> answers.EventsAnswer: ...
    @overload
    async def ask(self, tenant_id: int, query: model.Catalogue) -> answers.CatalogueAnswer: ...
    async def ask(self, tenant_id: int, query: Any) -> Any:
        """The answer."""
        ...

    async def ask_all(self, tenant_id: int, queries: Sequence[model.Query]) -> list[Any]:
        """The answers in the order of the questions, found side by side."""
        ...
