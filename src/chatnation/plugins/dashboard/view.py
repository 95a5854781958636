"""One look at an analytics page: who looks, at which time, through which filters; and how to ask from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from chatnation import Actor, App, Tenant
from chatnation.plugins.dashboard.analytics_query import LONGEST, AnalyticsQuery, address, changed
from chatnation.plugins.dashboard.asking import Asking
from chatnation.plugins.dashboard.period import Period
from chatnation.query import Condition, Granularity, Range, Source

EXPORT = "analytics.export"

Q = TypeVar("Q", bound=AnalyticsQuery)


@dataclass(frozen=True, slots=True)
class View(Asking, Generic[Q]):
    """What cards are drawn from. `path` is that of the page; every link made here keeps period and filters."""

    app: App
    request: Request
    path: str
    query: Q
    period: Period
    now: datetime

    @classmethod
    def of(cls, app: App, request: Request, path: str, query: Q) -> View[Q]:
        """The view that a request asks for. Raises a 422 for a period that makes no sense."""
        now = app.clock.now()
        actor: Actor = request.state.actor
        return cls(app, request, path, query, query.resolve(actor.tenant.timezone, now), now)

    @property
    def actor(self) -> Actor:
        actor: Actor = self.request.state.actor
        return actor

    @property
    def tenant(self) -> Tenant:
        return self.actor.tenant

    @property
    def may_export(self) -> bool:
        return self.actor.can(EXPORT)

    @property
    def compare(self) -> bool:
        """Whether trends show the period before as well. Key figures always do."""
        return self.query.compare

    @property
    def granularity(self) -> Granularity:
        """How finely trends are cut."""
        return self.query.granularity_of(self.period)

    @property
    def range(self) -> Range:
        """The period, for a question."""
        return Range(self.period.start, self.period.end, self.period.timezone)

    @property
    def previous(self) -> Period:
        """The equally long period just before."""
        return self.period.previous()

    @property
    def previous_range(self) -> Range:
        """The period before, for a question."""
        return self.range.previous()

    def conditions(self, source: Source = "events") -> tuple[Condition, ...]:
        """The filters, for a question."""
        return self.query.conditions(source)

    @property
    def granularities(self) -> list[tuple[Granularity, bool]]:
        """How trends can be cut, and whether the period is short enough for it."""
        return [(name, len(self.period.days) <= longest) for name, longest in LONGEST.items()]

    @property
    def kept(self) -> str:
        """The part of the address that all analytics pages know, for links from one to another."""
        return urlencode(self.query.shared_parameters())

    @property
    def asked(self) -> dict[str, Any]:
        """What the address asks for, as the audit log tells it: the days, and the parameters with their values."""
        given: dict[str, list[str]] = {}
        for name, value in self.query.parameters():
            given.setdefault(name, []).append(value)
        return {"first_day": self.period.first_day, "last_day": self.period.last_day, "filters": given}

    def csv_of(self, card_id: str) -> str:
        """Where the table of a card can be downloaded."""
        return self.url(f"{self.path}/{card_id}.csv")

    def url(self, path: str | None = None, /, **changes: object) -> str:
        """This page, or `path`, with the same period and filters but for `changes`.

        A change is a value, a list for a parameter that repeats, or None for none. Another page gets only what all
        analytics pages know, and the changes.
        """
        other = path is not None and not (path == self.path or path.startswith(f"{self.path}/"))
        parameters = self.query.shared_parameters() if other else self.query.parameters()
        return address(path or self.path, changed(parameters, changes))

    def url_of(self, start: datetime, end: datetime, path: str, /, **changes: object) -> str:
        """As `url`, for a part of the period: a bucket of a trend."""
        part = Period(
            max(start, self.period.start).astimezone(self.period.zone),
            min(end, self.period.end).astimezone(self.period.zone),
            self.period.zone,
        )
        none: dict[str, object] = {"period": None, "start_date": None, "end_date": None}
        return self.url(path, **{**none, **part.parameters(), **changes})
