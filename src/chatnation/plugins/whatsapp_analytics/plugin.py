"""The manifest of the whatsapp_analytics plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.whatsapp_analytics.definitions import METRICS
from chatnation.plugins.whatsapp_analytics.pages import WhatsappAnalyticsPages
from chatnation.plugins.whatsapp_analytics.routes import PATH, VIEW, WhatsappAnalyticsRoutes


class WhatsappAnalyticsPlugin(Plugin):
    """WhatsApp analytics

    Messages, contacts, response times and what becomes of messages on WhatsApp.
    """

    name = "whatsapp_analytics"
    url_prefix = "whatsapp-analytics"
    requires = ("dashboard",)
    after = ("sessions", "geoip")

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return WhatsappAnalyticsRoutes(self.app).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return WhatsappAnalyticsPages(self.app).pages()

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("WhatsApp", PATH, VIEW, group="analytics", icon="brand-whatsapp", order=50)]
