"""The overview page, the rows behind its numbers, and its downloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, Page, Problem, csv_response
from chatnation.plugins.dashboard.api import (
    PRESETS,
    AnalyticsPage,
    AnalyticsQuery,
    Period,
    PeriodQuery,
    View,
    country_name,
)
from chatnation.plugins.overview import definitions, rows
from chatnation.plugins.overview.address import HEEDED
from chatnation.plugins.overview.figures import cards
from chatnation.plugins.overview.live import KIND, LiveCounter

VIEW, EXPORT = "analytics.view", "analytics.export"
PATH = "/overview"
CSV_ROWS = 10_000
"""Most rows in a download of sessions or events."""

Query = TypeVar("Query", bound=PeriodQuery)


class OverviewPages:
    """`/overview` and what it leads to."""

    def __init__(self, app: Callable[[], App], live: LiveCounter) -> None:
        self._app = app
        self._live = live

    def pages(self) -> list[Page]:
        overview = AnalyticsPage(
            self._app,
            "overview",
            PATH,
            "Overview",
            cards(),
            query=AnalyticsQuery,
            filters=HEEDED,
            template="overview/overview.html",
            values=self._values,
        )
        return [
            Page("//overview/sessions", self.sessions, VIEW),
            Page("//overview/events", self.events, VIEW),
            Page("//overview/sessions.csv", self.session_rows, EXPORT),
            Page("//overview/events.csv", self.event_rows, EXPORT),
            *overview.pages(),
        ]

    async def _values(self, view: View[AnalyticsQuery]) -> Mapping[str, Any]:
        return {
            "live": await self._live.figures(view.tenant.id),
            "live_kind": KIND,
            "definitions": definitions,
        }

    async def sessions(self, request: Request) -> Response:
        query = self._query(request, rows.SessionQuery)
        period = self._period(request, query)
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.sessions(connection, tenant_id, period, query)
        return self._list(request, "overview/sessions.html", "sessions", period, query, found)

    async def events(self, request: Request) -> Response:
        query = self._query(request, rows.EventQuery)
        period = self._period(request, query)
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.events(connection, tenant_id, period, query)
        return self._list(request, "overview/events.html", "events", period, query, found)

    async def session_rows(self, request: Request) -> Response:
        """The sessions of the list as CSV."""
        query = self._query(request, rows.SessionQuery).model_copy(update={"limit": CSV_ROWS, "after": None})
        period = self._period(request, query)
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.sessions(connection, tenant_id, period, query)
        return _download("sessions", period, rows.SessionRow, found.items)

    async def event_rows(self, request: Request) -> Response:
        """The events of the list as CSV."""
        query = self._query(request, rows.EventQuery).model_copy(update={"limit": CSV_ROWS, "after": None})
        period = self._period(request, query)
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.events(connection, tenant_id, period, query)
        return _download("events", period, rows.EventRow, found.items)

    def _list(self, request: Request, template: str, name: str, period: Period, query: Any, found: Any) -> Response:
        filters = query.filters()
        return self._render(
            request,
            template,
            period=period,
            filters=filters,
            rows=found.items,
            first_page=query.after is None,
            first_url=period.link(f"{PATH}/{name}", **filters),
            next_url=period.link(f"{PATH}/{name}", **filters, after=found.next_cursor) if found.next_cursor else None,
            csv_url=period.link(f"{PATH}/{name}.csv", **filters),
            csv_rows=CSV_ROWS,
        )

    def _render(self, request: Request, template: str, **values: Any) -> Response:
        may_export = request.state.actor.can(EXPORT)
        response: Response = request.state.render(
            template, presets=PRESETS, path_of_overview=PATH, may_export=may_export, country_name=country_name, **values
        )
        return response

    def _query(self, request: Request, model: type[Query]) -> Query:
        try:
            return model.model_validate({name: value for name, value in request.query_params.items() if value})
        except ValidationError as error:
            field = ".".join(map(str, error.errors()[0]["loc"][:1]))
            raise Problem(422, "invalid_request", f"The address is not right at “{field}”.") from None

    def _period(self, request: Request, query: PeriodQuery) -> Period:
        return query.resolve(request.state.actor.tenant.timezone, self._app().clock.now())


def _download(name: str, period: Period, model: type[Any], items: list[Any]) -> Response:
    columns = tuple(model.model_fields)
    listed = [tuple(getattr(item, column) for column in columns) for item in items]
    return csv_response(f"{name}-{period.first_day}-{period.last_day}.csv", columns, listed)
