"""The manifest of the trends plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.trends.address import PATH
from chatnation.plugins.trends.definitions import METRICS
from chatnation.plugins.trends.errors import ErrorPages
from chatnation.plugins.trends.lifecycle import LifecyclePages
from chatnation.plugins.trends.pages import TrendPages
from chatnation.plugins.trends.retention import RetentionPages
from chatnation.plugins.trends.routes import VIEW, TrendRoutes
from chatnation.plugins.trends.ways import PathPages


class TrendsPlugin(Plugin):
    """Trends

    How sessions, conversions, people and the length of visits develop over time; whether people come back, which ways
    they take, and what goes wrong.
    """

    name = "trends"
    requires = ("sessions", "dashboard")

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return TrendRoutes(self.app).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        kinds = (TrendPages, RetentionPages, LifecyclePages, PathPages, ErrorPages)
        return [page for kind in kinds for page in kind(self.app).pages()]

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Trends", PATH, VIEW, group="analytics", icon="trending-up", order=15)]
