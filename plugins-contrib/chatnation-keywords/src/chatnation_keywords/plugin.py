"""The manifest of the keywords plugin."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import (
    App,
    NavigationEntry,
    Page,
    Plugin,
    Projection,
    Retention,
    Route,
    TenantSettings,
    hookimpl,
)
from chatnation_keywords import actions, queries
from chatnation_keywords.projections import KeywordCounter
from chatnation_keywords.settings import KeywordsSettings, KeywordsTenantSettings
from chatnation_keywords.views import VIEW, KeywordViews

KEPT_DAYS = 730


class KeywordsPlugin(Plugin):
    """Keywords

    Counts in how many inbound WhatsApp messages each of a tenant's keywords occurs. Only the counts are kept, so there
    is nothing about single persons to export or erase.
    """

    name = "keywords"
    Settings = KeywordsSettings
    TenantSettings = KeywordsTenantSettings
    settings: KeywordsSettings

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        return [Projection("count_keywords", KeywordCounter(self._keywords_of, self.settings.longest_text))]

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        return [Retention("keywords.hourly_counts", "hour", KEPT_DAYS)]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return KeywordViews(lambda: self._app).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return KeywordViews(lambda: self._app).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Keywords", "/keywords", VIEW, group="analytics", icon="message-search")]

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        return {"keyword counts": await queries.count_rows(connection, tenant_id)}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return await actions.erase_tenant(connection, tenant_id)

    async def _keywords_of(self, tenant_id: int) -> tuple[str, ...]:
        settings = self.services.get(TenantSettings)
        return (await settings.get(tenant_id, self.name, KeywordsTenantSettings)).keywords
