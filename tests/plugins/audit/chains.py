"""Writing to a log in a test, and checking it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from chatnation import ActorRef, ActorType, AuditRecord, audit_of
from chatnation.plugins.audit.sealing import seal_everything
from chatnation.plugins.audit.verifying import Verdict, verify
from chatnation.testing import RunningApp, Source

WANJIKU = "wanjiku@example.org"
_WANJIKU = ActorRef(ActorType.USER, 1, WANJIKU)


async def write(
    running: RunningApp,
    source: Source,
    action: str,
    *,
    actor: ActorRef | None = _WANJIKU,
    resource_type: str = "team",
    resource_id: str | None = None,
    **details: Any,
) -> None:
    """Record something, by Wanjiku unless said otherwise."""
    record = AuditRecord(source.tenant.id, action, actor, resource_type, resource_id, details, "192.0.2.7", "a browser")
    async with running.app.storage.tenant(source.tenant.id) as connection:
        await audit_of(running.app).record(connection, record)


async def actions(running: RunningApp, source: Source) -> list[str]:
    """What was recorded, in order."""
    async with running.app.storage.system("look at a log") as connection:
        query = text("SELECT action FROM audit.records WHERE tenant_id = :tenant ORDER BY id")
        return list(await connection.scalars(query, {"tenant": source.tenant.id}))


async def check(running: RunningApp, source: Source, *, expected: str | None = None) -> Verdict:
    """Seal what waits, and verify the tenant's chain."""
    await seal_everything(running.app.storage)
    async with running.app.storage.system("verify a log") as connection:
        return await verify(connection, source.tenant.id, source.tenant.slug, expected=expected)
