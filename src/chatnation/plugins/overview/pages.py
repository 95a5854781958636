"""The overview page, the rows behind its numbers, and its downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, NotFound, Page, Problem, csv_response
from chatnation.plugins.dashboard.api import PRESETS, Period, PeriodQuery, country_name
from chatnation.plugins.overview import definitions, figures, reading, rows
from chatnation.plugins.overview.figures import Table
from chatnation.plugins.overview.live import KIND, LiveCounter

VIEW, EXPORT = "analytics.view", "analytics.export"
PATH = "/overview"
CSV_ROWS = 10_000
"""Most rows in a download of sessions or events."""

Query = TypeVar("Query", bound=PeriodQuery)


class OverviewPages:
    """`/overview` and what it leads to."""

    def __init__(self, app: Callable[[], App], memory: reading.Memory, live: LiveCounter) -> None:
        self._app = app
        self._memory = memory
        self._live = live

    def pages(self) -> list[Page]:
        return [
            Page("//overview", self.show, VIEW),
            Page("//overview/sessions", self.sessions, VIEW),
            Page("//overview/events", self.events, VIEW),
            Page("//overview/parts/pages", self.top_pages, VIEW),
            Page("//overview/{table}.csv", self.download, EXPORT),
        ]

    async def show(self, request: Request) -> Response:
        period = self._period(request, self._query(request, PeriodQuery))
        found = await self._reader(request).snapshot(period)
        charts = [
            figures.days_chart(period, found.days),
            figures.devices_chart(period, found.devices),
            figures.browsers_chart(period, found.browsers),
            figures.heatmap_chart(period, found.heatmap),
            figures.countries_chart(period, found.countries),
            figures.pages_chart(period, found.pages),
        ]
        return self._render(
            request,
            "overview/overview.html",
            period=period,
            previous=period.previous(),
            kpis=figures.key_figures(period, found.now, found.before),
            charts={chart.id: chart for chart in charts},
            pages_url=period.link("/overview/parts/pages"),
            many_views=sum(page.views for page in found.pages) > reading.MANY_VIEWS,
            live=await self._live.figures(request.state.actor.tenant.id),
            live_kind=KIND,
            definitions=definitions,
            empty=found.now.sums.sessions == 0,
        )

    async def top_pages(self, request: Request) -> Response:
        """The chart of pages with sessions. Counting those takes longer, so the page fetches it afterwards."""
        period = self._period(request, self._query(request, PeriodQuery))
        pages = await self._reader(request).pages(period)
        return self._render(request, "overview/top_pages.html", chart=figures.pages_chart(period, pages))

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

    async def download(self, request: Request) -> Response:
        """The table behind a chart, or the rows of a list, as CSV."""
        name: str = request.path_params["table"]
        tables = {
            "days": self._days,
            "devices": self._breakdown("device_type"),
            "browsers": self._breakdown("browser_name"),
            "countries": self._countries,
            "heatmap": self._heatmap,
            "pages": self._pages,
            "sessions": self._session_rows,
            "events": self._event_rows,
        }
        if name not in tables:
            raise NotFound("There is no such table.")
        period = self._period(request, self._query(request, PeriodQuery))
        table = await tables[name](request, period)
        filename = f"{name}-{period.first_day}-{period.last_day}.csv"
        return csv_response(filename, table.columns, table.rows)

    async def _days(self, request: Request, period: Period) -> Table:
        return figures.days_table(await self._reader(request).days(period))

    async def _heatmap(self, request: Request, period: Period) -> Table:
        return figures.heatmap_table(reading.heatmap(await self._reader(request).hours(period)))

    async def _countries(self, request: Request, period: Period) -> Table:
        return figures.countries_table(await self._reader(request).breakdown(period, "country_code"))

    async def _pages(self, request: Request, period: Period) -> Table:
        return figures.pages_table(await self._reader(request).pages(period))

    def _breakdown(self, column: str) -> Callable[[Request, Period], Any]:
        async def table(request: Request, period: Period) -> Table:
            return figures.breakdown_table(column, await self._reader(request).breakdown(period, column))

        return table

    async def _session_rows(self, request: Request, period: Period) -> Table:
        query = self._query(request, rows.SessionQuery).model_copy(update={"limit": CSV_ROWS, "after": None})
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.sessions(connection, tenant_id, period, query)
        return _table(rows.SessionRow, found.items)

    async def _event_rows(self, request: Request, period: Period) -> Table:
        query = self._query(request, rows.EventQuery).model_copy(update={"limit": CSV_ROWS, "after": None})
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.events(connection, tenant_id, period, query)
        return _table(rows.EventRow, found.items)

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

    def _reader(self, request: Request) -> reading.Reader:
        return reading.Reader(self._app().storage, self._memory, request.state.actor.tenant.id)


def _table(model: type[Any], items: list[Any]) -> Table:
    columns = tuple(model.model_fields)
    return Table(columns, [tuple(getattr(item, column) for column in columns) for item in items])
