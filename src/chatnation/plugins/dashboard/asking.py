"""Asking the analytics service, with answers typed by their questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from chatnation.query import (
    ActorsAnswer,
    ActorsQuery,
    Analytics,
    Breakdown,
    BreakdownAnswer,
    Catalogue,
    CatalogueAnswer,
    Distribution,
    DistributionAnswer,
    Events,
    EventsAnswer,
    Funnel,
    FunnelActors,
    FunnelActorsAnswer,
    FunnelAnswer,
    FunnelWalk,
    FunnelWalkAnswer,
    Intervals,
    IntervalsAnswer,
    Lifecycle,
    LifecycleAnswer,
    Outcomes,
    OutcomesAnswer,
    Paths,
    PathsAnswer,
    Query,
    Retention,
    RetentionAnswer,
    Stickiness,
    StickinessAnswer,
    Timeseries,
    TimeseriesAnswer,
    Uniques,
    UniquesAnswer,
)

if TYPE_CHECKING:
    from chatnation import App, Tenant


class Asking:
    """What asks for a tenant."""

    __slots__ = ()

    app: App

    @property
    def tenant(self) -> Tenant:
        raise NotImplementedError

    @overload
    async def ask(self, question: Timeseries) -> TimeseriesAnswer: ...
    @overload
    async def ask(self, question: Breakdown) -> BreakdownAnswer: ...
    @overload
    async def ask(self, question: Distribution) -> DistributionAnswer: ...
    @overload
    async def ask(self, question: Uniques) -> UniquesAnswer: ...
    @overload
    async def ask(self, question: Funnel) -> FunnelAnswer: ...
    @overload
    async def ask(self, question: FunnelActors) -> FunnelActorsAnswer: ...
    @overload
    async def ask(self, question: FunnelWalk) -> FunnelWalkAnswer: ...
    @overload
    async def ask(self, question: Retention) -> RetentionAnswer: ...
    @overload
    async def ask(self, question: Paths) -> PathsAnswer: ...
    @overload
    async def ask(self, question: Lifecycle) -> LifecycleAnswer: ...
    @overload
    async def ask(self, question: Stickiness) -> StickinessAnswer: ...
    @overload
    async def ask(self, question: ActorsQuery) -> ActorsAnswer: ...
    @overload
    async def ask(self, question: Intervals) -> IntervalsAnswer: ...
    @overload
    async def ask(self, question: Outcomes) -> OutcomesAnswer: ...
    @overload
    async def ask(self, question: Events) -> EventsAnswer: ...
    @overload
    async def ask(self, question: Catalogue) -> CatalogueAnswer: ...
    async def ask(self, question: Any) -> Any:
        """The answer. Raises what `Analytics.ask` raises; a card shows that as its error."""
        return await self.app.services.get(Analytics).ask(self.tenant.id, question)

    async def ask_all(self, *questions: Query) -> list[Any]:
        """The answers in the order of the questions, found side by side."""
        return await self.app.services.get(Analytics).ask_all(self.tenant.id, questions)
