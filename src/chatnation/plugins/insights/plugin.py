"""The manifest of the insights plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, hookimpl
from chatnation.plugins.insights.definitions import METRICS
from chatnation.plugins.insights.pages import PATH, InsightPages


class InsightsPlugin(Plugin):
    """Insights

    Any question about events, built on a page, seen as a chart and a table, and shared by its link.
    """

    name = "insights"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return InsightPages(self.app).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Insights", PATH, "analytics.view", group="analytics", icon="bulb", order=75)]
