"""The manifest of the sessions plugin."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Plugin, Projection, TenantSettings, hookimpl
from chatnation.plugins.sessions import actions, queries
from chatnation.plugins.sessions.facts import SESSIONS
from chatnation.plugins.sessions.projections import SessionBuilder
from chatnation.plugins.sessions.settings import SessionsTenantSettings
from chatnation.query import FactSource


class SessionsPlugin(Plugin):
    """Sessions

    Gathers events into visits: a visit ends after half an hour without an event. Web visits belong to a browser,
    WhatsApp visits to a contact. Late events join the visit that they belong to.
    """

    name = "sessions"
    after = ("geoip", "useragent")
    TenantSettings = SessionsTenantSettings

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        return [Projection("build_sessions", SessionBuilder(self._tenant_settings))]

    @hookimpl
    def register_fact_sources(self) -> Iterable[FactSource]:
        return [SESSIONS]

    async def _tenant_settings(self, tenant_id: int) -> SessionsTenantSettings:
        return await self.services.get(TenantSettings).get(tenant_id, self.name, SessionsTenantSettings)

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        return {"sessions": await queries.count_sessions(connection, tenant_id)}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return await actions.erase_tenant(connection, tenant_id)

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return await actions.erase_person(connection, tenant_id, leaf_ids)

    @hookimpl
    async def export_person(
        self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]
    ) -> dict[str, list[dict[str, object]]]:
        return {"sessions": await queries.sessions_of_person(connection, tenant_id, leaf_ids)}
