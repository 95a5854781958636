"""Audit records of what a request did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from chatnation.core.audit import ActorRef, AuditRecord, audit_of
from chatnation.core.context import Actor

if TYPE_CHECKING:
    from chatnation.core.app import App

EXPORTED = "report.table.exported"
_LONGEST_USER_AGENT = 500


def record_of(
    request: Request,
    action: str,
    resource_type: str | None = None,
    resource_id: object = None,
    *,
    tenant_id: int | None = None,
    actor: ActorRef | None = None,
    **details: Any,
) -> AuditRecord:
    """A record of `action`, by whoever sent `request` and in their tenant, unless given."""
    known: Actor | None = getattr(request.state, "actor", None)
    return AuditRecord(
        tenant_id=tenant_id if tenant_id is not None or known is None else known.tenant.id,
        action=action,
        actor=actor or (ActorRef.of(known) if known else None),
        resource_type=resource_type,
        resource_id=None if resource_id is None else str(resource_id),
        details=details,
        ip_address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent", "")[:_LONGEST_USER_AGENT] or None,
    )


async def record_export(app: App, request: Request, kind: str, name: str, **details: Any) -> None:
    """Write down that the sender of `request` downloads something of a report, before the first of it is sent.

    `kind` and `name` say what, such as `card` and the address of one. `details` say what was asked (filters, question)
    and how much it comes to (`rows`, and `cut` where there would be more); never what is in it.
    """
    async with app.storage.tenant(request.state.actor.tenant.id) as connection:
        await audit_of(app).record(connection, record_of(request, EXPORTED, kind, name, **details))
