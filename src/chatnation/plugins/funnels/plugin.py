"""The manifest of the funnels plugin."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import App, Metric, NavigationEntry, Page, Permission, Plugin, Route, hookimpl
from chatnation.plugins.funnels import actions, queries
from chatnation.plugins.funnels.address import PATH
from chatnation.plugins.funnels.building import BuilderPages
from chatnation.plugins.funnels.definitions import METRICS
from chatnation.plugins.funnels.keeping import KeepingPages
from chatnation.plugins.funnels.pages import FunnelPages
from chatnation.plugins.funnels.routes import VIEW, FunnelRoutes
from chatnation.plugins.funnels.saving import MANAGE, SavedFunnels


class FunnelsPlugin(Plugin):
    """Funnels

    How many people go through the steps of a journey, where they drop off, how long it takes, and who they are.
    """

    name = "funnels"
    url_prefix = "funnel"
    requires = ("dashboard",)

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._saved = SavedFunnels(self.app)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        return [Permission(MANAGE, "Save, change and delete funnels", frozenset({"super_admin", "admin", "developer"}))]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return FunnelRoutes(self.app, self._saved).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        pages = FunnelPages(self.app, self._saved), BuilderPages(self.app), KeepingPages(self.app, self._saved)
        return [page for part in pages for page in part.pages()]

    @hookimpl
    def register_metrics(self) -> Iterable[Metric]:
        return METRICS

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Funnels", PATH, VIEW, group="analytics", icon="filter", order=20)]

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        return {"saved funnels": await queries.count_saved(connection, tenant_id)}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return await actions.erase_tenant(connection, tenant_id)

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return 0  # A saved funnel says what is counted, not of whom.
