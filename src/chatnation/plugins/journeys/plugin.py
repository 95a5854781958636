"""The manifest of the journeys plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, TenantSettings, hookimpl
from chatnation.plugins.journeys.address import PATH
from chatnation.plugins.journeys.definitions import METRICS
from chatnation.plugins.journeys.pages import JourneysPages
from chatnation.plugins.journeys.routes import VIEW, JourneysRoutes
from chatnation.plugins.journeys.rules import Rules
from chatnation.plugins.journeys.settings import JourneysTenantSettings


class JourneysPlugin(Plugin):
    """Self-serve and assisted

    How many journeys people finish by themselves, give up, or finish with an agent, and where they ask for one.
    """

    name = "journeys"
    requires = ("sessions", "dashboard")
    TenantSettings = JourneysTenantSettings

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    async def _rules(self, tenant_id: int) -> Rules:
        settings = await self.services.get(TenantSettings).get(tenant_id, self.name, JourneysTenantSettings)
        return Rules.of(settings)

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return JourneysRoutes(self.app, self._rules).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return JourneysPages(self.app, self._rules).pages()

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Self-serve vs assisted", PATH, VIEW, group="analytics", icon="route", order=40)]
