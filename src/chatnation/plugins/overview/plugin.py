"""The manifest of the overview plugin."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import App, Job, Metric, NavigationEntry, Page, Plugin, Projection, Route, Schedule, hookimpl
from chatnation.plugins.overview import actions
from chatnation.plugins.overview.definitions import METRICS
from chatnation.plugins.overview.jobs import SETTLE, SettleCounts
from chatnation.plugins.overview.live import LiveCounter
from chatnation.plugins.overview.pages import OverviewPages
from chatnation.plugins.overview.projections import count_pages
from chatnation.plugins.overview.reading import Memory
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
        self._memory = Memory()
        self._live = LiveCounter(self.app)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        return [Projection("count_pages", count_pages)]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job(SETTLE, SettleCounts(lambda: self.services))]

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [Schedule(SETTLE, "* * * * *")]

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return await actions.erase_tenant(connection, tenant_id)

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        await actions.erase_person(connection, tenant_id, leaf_ids)
        return 0

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return OverviewRoutes(self.app, self._memory, self._live).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return OverviewPages(self.app, self._memory, self._live).pages()

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
