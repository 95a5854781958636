"""What takes away from the log: retention and erasure, the only doors."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import ActorRef, ActorType, AuditLog, AuditRecord
from chatnation.plugins.audit.sealing import hold_chains

PRODUCT = ActorRef(ActorType.SYSTEM, name="Chatnation")
_OPEN = text("SELECT set_config('audit.door', :why, true)")
_SHUT = text("SELECT set_config('audit.door', '', true)")


async def cut(connection: AsyncConnection, log: AuditLog, tenant_id: int, before: datetime) -> int:
    """Remove the records that are older than `before` from the beginning of a tenant's chain; gives how many.

    The chain then begins at an anchor, the last hash that was removed, and a record tells of the cut.
    """
    await hold_chains(connection)
    last = (await connection.execute(_LAST, {"tenant": tenant_id, "before": before})).one_or_none()
    if last is None:
        return 0
    await connection.execute(_OPEN, {"why": "retention"})
    up_to = {"tenant": tenant_id, "position": last.position}
    removed = (await connection.execute(_CUT_RECORDS, up_to)).rowcount
    await connection.execute(_CUT_SEALS, up_to)
    await connection.execute(_ANCHOR, {**up_to, "hash": last.hash, "removed": removed})
    await connection.execute(_SHUT)
    details = {"removed": removed, "before": before.isoformat()}
    await log.record(connection, AuditRecord(tenant_id, "audit.log.cut", PRODUCT, "audit_log", details=details))
    return removed


async def redact_person(connection: AsyncConnection, log: AuditLog, tenant_id: int, leaf_ids: list[UUID]) -> int:
    """Take what names a person out of the records about them. Hashes stay, so that the chain still holds."""
    await connection.execute(_OPEN, {"why": "erasure"})
    ids = list(await connection.scalars(_REDACT, {"tenant": tenant_id, "leafs": [str(leaf) for leaf in leaf_ids]}))
    await connection.execute(_SHUT)
    if ids:
        record = AuditRecord(
            tenant_id, "audit.records.redacted", PRODUCT, "audit_log", details={"records": sorted(ids)}
        )
        await log.record(connection, record)
    return len(ids)


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete the log of a tenant with everything else of it; the chain of the instance keeps that it was erased."""
    await connection.execute(_OPEN, {"why": "erasure"})
    gone = 0
    for table in ("waiting", "seals", "anchors", "records"):
        deleted = await connection.execute(
            text(f"DELETE FROM audit.{table} WHERE tenant_id = :tenant"), {"tenant": tenant_id}
        )
        gone = deleted.rowcount
    await connection.execute(_SHUT)
    return gone


# Everything before the first record that is young enough: ids and times do not quite have the same order.
_LAST = text(
    """
    SELECT s.position, s.hash
      FROM audit.seals s
     WHERE s.tenant_id = :tenant
       AND s.position < coalesce(
           (SELECT min(k.position) FROM audit.seals k JOIN audit.records r ON r.id = k.record_id
             WHERE k.tenant_id = :tenant AND r.recorded_at >= :before),
           9223372036854775807)
     ORDER BY s.position DESC LIMIT 1
    """
)
_CUT_RECORDS = text(
    "DELETE FROM audit.records r USING audit.seals s"
    " WHERE s.tenant_id = :tenant AND s.position <= :position AND r.id = s.record_id"
)
_CUT_SEALS = text("DELETE FROM audit.seals WHERE tenant_id = :tenant AND position <= :position")
_ANCHOR = text(
    "INSERT INTO audit.anchors (tenant_id, position, hash, removed) VALUES (:tenant, :position, :hash, :removed)"
)
_REDACT = text(
    """
    UPDATE audit.records
       SET resource_id = NULL, details = '{}', redacted_at = clock_timestamp()
     WHERE tenant_id = :tenant AND resource_type = 'person' AND resource_id = ANY(CAST(:leafs AS text[]))
    RETURNING id
    """
)
