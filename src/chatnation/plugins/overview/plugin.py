"""The manifest of the overview plugin."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.overview.definitions import METRICS
from chatnation.plugins.overview.live import LiveCounter
from chatnation.plugins.overview.pages import OverviewPages
from chatnation.plugins.overview.routes import OverviewRoutes


class OverviewPlugin(Plugin):
    """Overview

    The first page: how many sessions and persons there were against the period before, when, with what device and
    browser, where they looked, and what happens right now.
    """

    name = "overview"
    requires = ("sessions", "dashboard")

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._live = LiveCounter(self.app)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return OverviewRoutes(self.app, self._live).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return OverviewPages(self.app, self._live).pages()

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [
            NavigationEntry(
                "Overview", "/overview", "analytics.view", group="analytics", icon="layout-dashboard", order=10
            )
        ]
