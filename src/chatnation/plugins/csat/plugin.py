"""The manifest of the csat plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.csat.definitions import METRICS
from chatnation.plugins.csat.pages import CsatPages
from chatnation.plugins.csat.routes import PATH, VIEW, CsatRoutes
from chatnation.plugins.csat.settings import CsatTenantSettings


class CsatPlugin(Plugin):
    """Customer satisfaction

    The scores and comments that people give, over time, by journey, channel and agent.
    """

    name = "csat"
    url_prefix = "csat-analytics"
    requires = ("dashboard",)
    after = ("sessions",)
    TenantSettings = CsatTenantSettings

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return CsatRoutes(self.app).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return CsatPages(self.app).pages()

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Satisfaction", PATH, VIEW, group="analytics", icon="star", order=70)]
