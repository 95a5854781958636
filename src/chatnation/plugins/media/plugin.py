"""The manifest of the media plugin."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import (
    App,
    ConfigurationError,
    Health,
    Job,
    Jobs,
    NavigationEntry,
    Page,
    Permission,
    Plugin,
    Route,
    Schedule,
    Service,
    hookimpl,
)
from chatnation.plugins.media import actions, hookspecs, queries
from chatnation.plugins.media.api import Media
from chatnation.plugins.media.files import Files
from chatnation.plugins.media.jobs import EXPIRE, DeleteOld, RemoveDoomed
from chatnation.plugins.media.keeping import REMOVE, Keeper, Stores
from chatnation.plugins.media.pages import PATH, MediaPages
from chatnation.plugins.media.routes import DELETE, UPLOAD, VIEW, MediaRoutes
from chatnation.plugins.media.settings import MediaSettings, MediaTenantSettings

_ADMINS = frozenset({"super_admin", "admin"})


class MediaPlugin(Plugin):
    """Media

    Keeps files that people and programs upload, in a folder or in a store that another plugin brings, and hands them
    out by links that nobody can guess and that end.
    """

    name = "media"
    requires = ("dashboard",)
    hookspecs: ClassVar[ModuleType | type | None] = hookspecs
    global_tables = ("doomed",)
    Settings = MediaSettings
    TenantSettings = MediaTenantSettings
    settings: MediaSettings

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._keeper = Keeper(self.app, self.stores)
        self._files = Files(self.app, self.stores, self._keeper, self.settings)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app
        drivers = []
        for outcome in app.hooks.collect(hookspecs.media_register_stores):
            if outcome.ok:
                drivers.extend(outcome.unwrap())
        self._stores = Stores.of(app, self.settings, drivers)

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    def stores(self) -> Stores:
        """The stores, once it has started."""
        return self._stores

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(Media, self._keeper)]

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        seeing = _ADMINS | {"developer", "auditor", "agent"}
        return [
            Permission(VIEW, "See files and open them", seeing),
            Permission(UPLOAD, "Upload files", _ADMINS | {"developer", "agent"}),
            Permission(DELETE, "Delete files", _ADMINS),
        ]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job(REMOVE, RemoveDoomed(self.app, self.stores)), Job(EXPIRE, DeleteOld(self.app))]

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [Schedule(REMOVE, "*/10 * * * *"), Schedule(EXPIRE, "7 * * * *")]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return MediaRoutes(self._files, self.settings).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return MediaPages(self._files, self.settings).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Files", PATH, VIEW, group="settings", icon="files", order=60)]

    @hookimpl
    async def check_health(self, app: App) -> Health:
        try:
            self._stores[self._stores.chosen]
        except (ConfigurationError, OSError) as error:
            return Health(ok=False, detail=f"the store {self._stores.chosen} cannot be opened: {error}")
        return Health(ok=True, detail=f"new files go to the store {self._stores.chosen}")

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        return {"files": (await queries.usage(connection, tenant_id)).files}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        """Also where no jobs can be enqueued, as in a command, the files are removed: a schedule finds them."""
        erased = await actions.erase_tenant(connection, tenant_id)
        jobs = self.services.find(Jobs)
        if erased and jobs is not None:
            await jobs.enqueue(connection, REMOVE, {}, dedupe_key="erased")
        return erased

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return 0  # No file is known to be about a visitor; the plugins that keep some delete them.
