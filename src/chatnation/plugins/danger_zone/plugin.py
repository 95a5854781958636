"""The manifest of the danger zone."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import App, Job, NavigationEntry, Page, Plugin, Route, hookimpl
from chatnation.plugins.danger_zone import actions, queries
from chatnation.plugins.danger_zone.jobs import DELETE, EXPORT, DeleteTenant, ExportTenant
from chatnation.plugins.danger_zone.pages import PATH, DangerZonePages
from chatnation.plugins.danger_zone.progress import Board
from chatnation.plugins.danger_zone.routes import PREFIX, DangerZoneRoutes
from chatnation.plugins.danger_zone.zone import PERMISSION, DangerZone


class DangerZonePlugin(Plugin):
    """Danger zone

    Deletes roles, members and what other plugins name, with a copy in an archive; exports and deletes an organisation.
    """

    name = "danger_zone"
    url_prefix = PREFIX
    requires = ("dashboard",)
    after = ("media", "audit")

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._board = Board(self.app)
        self._zone = DangerZone(self.app, self._board)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [
            Job(EXPORT, ExportTenant(self.app, self._board), attempts=2),
            Job(DELETE, DeleteTenant(self.app, self._board), attempts=3),
        ]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return DangerZoneRoutes(self._zone).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return DangerZonePages(self._zone).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Danger zone", PATH, PERMISSION, group="settings", icon="alert-triangle", order=900)]

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        return {"archived things": await queries.count(connection, tenant_id)}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return await actions.erase_tenant(connection, tenant_id)

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return 0  # The archive is about users of the dashboard, never about visitors.
