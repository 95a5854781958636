"""The manifest of the audit plugin."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import click
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import (
    App,
    AuditLog,
    Job,
    NavigationEntry,
    Page,
    Permission,
    Plugin,
    Route,
    Schedule,
    Service,
    hookimpl,
)
from chatnation.plugins.audit import actions
from chatnation.plugins.audit.cli import audit
from chatnation.plugins.audit.jobs import CUT, SEAL, CutLogs, SealRecords
from chatnation.plugins.audit.models import records
from chatnation.plugins.audit.pages import AuditPages
from chatnation.plugins.audit.reading import Reader
from chatnation.plugins.audit.routes import AuditRoutes
from chatnation.plugins.audit.settings import AuditTenantSettings
from chatnation.plugins.audit.trail import AuditTrail


class AuditPlugin(Plugin):
    """Audit log

    Who did what, when and from where: written in the transaction that does it, never changed afterwards, and sealed in
    a chain of hashes that `chatnation audit verify` checks.
    """

    name = "audit"
    url_prefix = "audit-logs"
    requires = ("dashboard",)
    TenantSettings = AuditTenantSettings

    def __init__(self, settings: BaseModel | None = None) -> None:
        super().__init__(settings)
        self._trail = AuditTrail()
        self._reader = Reader(self.app, self._trail)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    def app(self) -> App:
        """The app that this instance belongs to, once it has started."""
        return self._app

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(AuditLog, self._trail)]

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        return [
            Permission("audit.view", "See and export the audit log", frozenset({"super_admin", "admin", "auditor"}))
        ]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job(SEAL, SealRecords(self.app)), Job(CUT, CutLogs(self.app, self._trail))]

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [Schedule(SEAL, "* * * * *"), Schedule(CUT, "27 2 * * *")]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return AuditRoutes(self._reader).routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return AuditPages(self._reader).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Audit log", "/audit-logs", "audit.view", group="system", icon="history", order=40)]

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        return [audit]

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        query = select(func.count()).select_from(records).where(records.c.tenant_id == tenant_id)
        return {"audit_records": await connection.scalar(query) or 0}

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        return await actions.erase_tenant(connection, tenant_id)

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        return await actions.redact_person(connection, self._trail, tenant_id, leaf_ids)
