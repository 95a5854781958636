"""The overview page, and where its lists used to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import App, Page
from chatnation.plugins.dashboard.api import SESSION_FILTERS, AnalyticsPage, AnalyticsQuery, View, address
from chatnation.plugins.overview import definitions
from chatnation.plugins.overview.figures import EVENTS_PATH, SESSIONS_PATH, cards
from chatnation.plugins.overview.live import KIND, LiveCounter

VIEW = "analytics.view"
PATH = "/overview"


class OverviewPages:
    """`/overview`."""

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
            filters=SESSION_FILTERS,
            metrics=definitions.METRICS,
            template="overview/overview.html",
            values=self._values,
        )
        return [
            Page(f"/{PATH}/sessions", self.sessions, VIEW),
            Page(f"/{PATH}/events", self.events, VIEW),
            *overview.pages(),
        ]

    async def _values(self, view: View[AnalyticsQuery]) -> Mapping[str, Any]:
        return {
            "live": await self._live.figures(view.tenant.id),
            "live_kind": KIND,
            "definitions": definitions,
        }

    async def sessions(self, request: Request) -> Response:
        """The list of sessions has moved."""
        return _moved(request, SESSIONS_PATH)

    async def events(self, request: Request) -> Response:
        """The list of events has moved."""
        return _moved(request, EVENTS_PATH)


def _moved(request: Request, path: str) -> Response:
    """To `path`, with the same parameters but for the place in the list."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return RedirectResponse(address(path, kept), status_code=308)
