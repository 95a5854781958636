"""The manifest of the AI analytics plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.ai_analytics.definitions import METRICS
from chatnation.plugins.ai_analytics.pages import PATH, AiAnalyticsPages
from chatnation.plugins.ai_analytics.routes import AiAnalyticsRoutes
from chatnation.plugins.ai_analytics.settings import AiAnalyticsTenantSettings


class AiAnalyticsPlugin(Plugin):
    """AI and intents

    What people want of the AI agent, how sure, quick and costly it is, and how often it needs a human.
    """

    name = "ai_analytics"
    url_prefix = "ai-analytics"
    requires = ("dashboard",)
    TenantSettings = AiAnalyticsTenantSettings

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
    def register_routes(self) -> Iterable[Route]:
        return AiAnalyticsRoutes(self.app).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return AiAnalyticsPages(self.app).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("AI & Intents", PATH, "analytics.view", group="analytics", icon="robot", order=60)]
