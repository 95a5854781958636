"""Long work of the danger zone."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import (
    ActorRef,
    ActorType,
    App,
    AuditRecord,
    ChatnationError,
    Eraser,
    Receipt,
    Tenant,
    TenantDeleted,
    TenantExporter,
    audit_of,
)
from chatnation.plugins.danger_zone.progress import Board, ReceiptDetails, Work, export_of
from chatnation.plugins.media.api import Media

logger = logging.getLogger(__name__)

EXPORT = "danger_zone.export_tenant"
DELETE = "danger_zone.delete_tenant"
EXPORT_LASTS = timedelta(hours=24)
_TOLD_EVERY = 0.5
_FAILED = "It failed, and nothing was changed. The log of the instance says why."


class Teller:
    """Tells the board how far a piece of work is, now and then."""

    def __init__(self, board: Board, name: str, work: Work) -> None:
        self._board = board
        self._name = name
        self.work = work.model_copy(update={"state": "running", "error": None})
        self._told = 0.0

    async def __call__(self, done: int, total: int, what: str) -> None:
        self.work = self.work.model_copy(update={"done": done, "total": total, "what": what})
        if time.monotonic() - self._told >= _TOLD_EVERY:
            self._told = time.monotonic()
            await self._board.put(self._name, self.work)

    async def end(self, **changes: object) -> None:
        """Say what came of it."""
        await self._board.put(self._name, self.work.model_copy(update=changes))


class ExportTenant:
    """Writes everything of a tenant into a file, which the media plugin keeps for a day."""

    def __init__(self, app: Callable[[], App], board: Board) -> None:
        self._app = app
        self._board = board

    async def __call__(self, payload: dict[str, Any]) -> None:
        app = self._app()
        async with app.storage.system("the tenant to export") as connection:
            tenant = await _tenant(connection, "id", payload["tenant_id"])
        if tenant is None:
            return
        name = export_of(tenant.id)
        work = await self._board.get(name) or Work(subject=tenant.slug, requested_at=app.clock.now())
        teller = Teller(self._board, name, work)
        try:
            await self._export(app, tenant, payload.get("user_id"), teller)
        except Exception as error:
            await teller.end(state="failed", error=_FAILED, finished_at=app.clock.now())
            raise error

    async def _export(self, app: App, tenant: Tenant, user_id: int | None, teller: Teller) -> None:
        await teller(0, 0, "")
        with tempfile.TemporaryDirectory(prefix="chatnation-export-") as folder:
            target = Path(folder) / "export.zip"
            made = await app.services.get(TenantExporter).export(tenant, target, teller)
            now = app.clock.now()
            with await asyncio.to_thread(target.open, "rb") as content:
                kept = await app.services.get(Media).keep(
                    tenant.id,
                    content,
                    f"{tenant.slug}-{now:%Y-%m-%d}.zip",
                    "application/zip",
                    purpose="export",
                    user_id=user_id,
                    expires_at=now + EXPORT_LASTS,
                    listed=False,
                )
        await teller.end(state="done", file=kept.id, size=kept.size, rows=made.rows, finished_at=now, what="")


class DeleteTenant:
    """Erases a tenant. All is gone and there is a receipt, or nothing happened."""

    def __init__(self, app: Callable[[], App], board: Board) -> None:
        self._app = app
        self._board = board

    async def __call__(self, payload: dict[str, Any]) -> None:
        app = self._app()
        async with app.storage.system("the tenant to delete") as connection:
            tenant = await _tenant(connection, "slug", payload["tenant"])
        if tenant is None:
            return  # It is gone: an earlier try did it, or somebody else.
        name: str = payload["board"]
        work = await self._board.get(name) or Work(subject=tenant.name, requested_at=app.clock.now())
        teller = Teller(self._board, name, work)
        actor = ActorRef(ActorType.USER, payload["user_id"], payload["by"])

        async def note(connection: AsyncConnection, receipt: Receipt) -> None:
            record = AuditRecord(
                tenant_id=None,
                action="danger_zone.tenant.deleted",
                actor=actor,
                resource_type="erasure",
                resource_id=str(receipt.id),
                details={"tenant": tenant.slug, "counts": receipt.counts},
            )
            await audit_of(app).record(connection, record)
            app.signals.publish(connection, TenantDeleted(tenant.id))

        try:
            eraser = app.services.get(Eraser)
            receipt = await eraser.erase_tenant(tenant, by=payload["by"], then=note, progress=teller)
        except ChatnationError as error:
            logger.exception("the tenant %s was not deleted", tenant.slug)
            await teller.end(state="failed", error=str(error), finished_at=app.clock.now())
        except Exception:
            await teller.end(state="failed", error=_FAILED, finished_at=app.clock.now())
            raise
        else:
            told = ReceiptDetails(id=receipt.id, erased_at=receipt.erased_at, counts=receipt.counts)
            await teller.end(state="done", receipt=told, finished_at=app.clock.now(), what="")


async def _tenant(connection: AsyncConnection, column: str, value: object) -> Tenant | None:
    query = text(f"SELECT id, slug, name, timezone FROM tenants WHERE {column} = :value")
    row = (await connection.execute(query, {"value": value})).one_or_none()
    return Tenant(row.id, row.slug, row.name, row.timezone) if row else None
