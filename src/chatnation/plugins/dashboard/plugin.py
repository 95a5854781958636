"""The manifest of the dashboard plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.dashboard.dead_letters import DeadLetterPages
from chatnation.plugins.dashboard.definitions import DefinitionPages
from chatnation.plugins.dashboard.filter_values import FilterValues
from chatnation.plugins.dashboard.home import HomePages
from chatnation.plugins.dashboard.ingestion import IngestionPages
from chatnation.plugins.dashboard.setup import SetupPages


class DashboardPlugin(Plugin):
    """Dashboard

    The frame around every page: menu, header, sign-in and errors; and the pages about the instance itself: setup,
    what became of incoming events, dead letters.
    """

    name = "dashboard"
    after = ("sdk",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        areas = (HomePages, SetupPages, IngestionPages, DeadLetterPages, DefinitionPages, FilterValues)
        return [page for area in areas for page in area(self.app).pages()]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return SetupPages(self.app).routes()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [
            NavigationEntry("Setup", "/setup", "settings.manage", group="settings", icon="rocket", order=10),
            NavigationEntry(
                "Incoming events", "/settings/ingestion", "settings.manage", group="settings", icon="activity", order=20
            ),
            NavigationEntry(
                "Dead letters", "/settings/dead-letters", "settings.manage", group="settings", icon="mail-x", order=30
            ),
        ]
