"""Writes records down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import AuditRecord
from chatnation.plugins.audit.models import records

REMOVED = "[removed]"
_SECRET = re.compile(r"password|secret|token|cookie|authorization|private|credential|otp|(^|_)code$|(^|_)hash$")
_NOT_SECRET = re.compile(r"_(id|ids|at|changed|prefix|count)$")
_LONGEST_TEXT = 1_000


class AuditTrail:
    """The service `AuditLog`: one row a record, in the transaction that makes the record true."""

    async def record(self, connection: AsyncConnection, record: AuditRecord) -> None:
        actor = record.actor
        await connection.execute(
            insert(records).values(
                tenant_id=record.tenant_id,
                actor_type=str(actor.type) if actor else None,
                actor_id=actor.id if actor else None,
                actor_name=_plain(actor.name) if actor else None,
                action=record.action,
                resource_type=record.resource_type,
                resource_id=None if record.resource_id is None else _plain(record.resource_id),
                details=without_secrets(record.details),
                ip_address=_address(record.ip_address),
                user_agent=None if record.user_agent is None else _plain(record.user_agent),
            )
        )


def without_secrets(details: Mapping[str, Any]) -> dict[str, Any]:
    """`details` as JSON, with whatever is called like a secret taken out and long texts cut: a last line of defence."""
    return {
        str(name): REMOVED if _is_secret(str(name)) and not isinstance(value, bool) else _safe(value)
        for name, value in details.items()
    }


def _is_secret(name: str) -> bool:
    name = name.lower()
    return bool(_SECRET.search(name)) and not _NOT_SECRET.search(name)


def _safe(value: Any) -> Any:
    if isinstance(value, Mapping):
        return without_secrets(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_safe(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _plain(str(value))


def _plain(text: str) -> str:
    """PostgreSQL keeps no NUL in text."""
    return text.replace("\x00", "")[:_LONGEST_TEXT]


def _address(text: str | None) -> str | None:
    try:
        return str(ip_address(text)) if text else None
    except ValueError:
        return None
