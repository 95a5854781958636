"""Reading the log leaves a record too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.requests import Request

from chatnation import App, AuditLog, Slice, Storage, record_of
from chatnation.plugins.audit import queries
from chatnation.plugins.audit.queries import AuditEntry, AuditQuery, SealedEntry

CSV_ROWS = 100_000
"""Most records in a download."""
_AT_ONCE = 1_000


class Reader:
    """What pages and API read, each time with a record of who read what."""

    def __init__(self, app: Callable[[], App], log: AuditLog) -> None:
        self._app = app
        self._log = log

    async def page(self, request: Request, query: AuditQuery) -> Slice[AuditEntry]:
        tenant = request.state.actor.tenant
        async with self._storage.tenant(tenant.id) as connection:
            found = await queries.page(connection, tenant.id, tenant.timezone, query)
            if not query.after:  # One reading is one record, however far it goes.
                record = record_of(request, "audit.log.viewed", "audit_log", filters=query.filters())
                await self._log.record(connection, record)
        return found

    async def one(self, request: Request, record_id: int) -> SealedEntry:
        tenant = request.state.actor.tenant
        async with self._storage.tenant(tenant.id) as connection:
            return await queries.one(connection, tenant.id, record_id)

    async def choices(self, request: Request) -> dict[str, list[str]]:
        tenant = request.state.actor.tenant
        async with self._storage.tenant(tenant.id) as connection:
            return await queries.choices(connection, tenant.id)

    async def export(self, request: Request, query: AuditQuery) -> AsyncIterator[list[AuditEntry]]:
        """Every record that `query` finds, some at a time, at most `CSV_ROWS`; recorded before the first one leaves."""
        tenant = request.state.actor.tenant
        async with self._storage.tenant(tenant.id) as connection:
            details: dict[str, Any] = {"filters": query.filters(), "format": "csv"}
            await self._log.record(connection, record_of(request, "audit.log.exported", "audit_log", **details))
        query = query.model_copy(update={"limit": _AT_ONCE, "after": None})
        for _ in range(CSV_ROWS // _AT_ONCE):
            async with self._storage.tenant(tenant.id) as connection:
                found = await queries.page(connection, tenant.id, tenant.timezone, query)
            yield found.items
            if found.next_cursor is None:
                return
            query = query.model_copy(update={"after": found.next_cursor})

    @property
    def _storage(self) -> Storage:
        return self._app().storage
