"""Audit records of what a request did."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from chatnation.core.audit import ActorRef, AuditRecord
from chatnation.core.context import Actor

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
