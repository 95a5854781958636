"""The manifest of the explorer plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation import App, Metric, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.explorer.catalogue_pages import CataloguePages, ExplorePages
from chatnation.plugins.explorer.definitions import METRICS
from chatnation.plugins.explorer.event_routes import EventRoutes
from chatnation.plugins.explorer.live_pages import LivePages
from chatnation.plugins.explorer.person_pages import PersonPages
from chatnation.plugins.explorer.person_reading import PersonReader
from chatnation.plugins.explorer.session_pages import SessionPages
from chatnation.plugins.explorer.session_reading import SessionReader
from chatnation.plugins.explorer.session_routes import SessionRoutes


class ExplorerPlugin(Plugin):
    """Explorer

    The events as they come in and which kinds there are, sessions one by one, and everything that one person did.
    """

    name = "explorer"
    url_prefix = "events"
    requires = ("dashboard",)
    after = ("sessions",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        sessions = SessionReader(self.app)
        return [
            *EventRoutes(self.app, sessions).routes(),
            *SessionRoutes(self.app, sessions, PersonReader(self.app, sessions)).routes(),
        ]

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        sessions = SessionReader(self.app)
        areas = (
            LivePages(self.app),
            CataloguePages(self.app),
            ExplorePages(self.app),
            SessionPages(self.app, sessions),
            PersonPages(self.app, PersonReader(self.app, sessions), sessions),
        )
        return [page for area in areas for page in area.pages()]

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [
            NavigationEntry(
                "Sessions", "/sessions", "analytics.view", group="analytics", icon="list-details", order=70
            ),
            NavigationEntry("Persons", "/journey", "persons.view", group="analytics", icon="users", order=80),
            NavigationEntry("Events", "/events", "analytics.view", group="analytics", icon="activity", order=90),
        ]
