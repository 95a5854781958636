"""Browsers that a user had remembered, so that they need not show the second factor there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.one_time import hash_token, new_token
from chatnation.core.storage.models import remembered_devices as devices

if TYPE_CHECKING:
    from chatnation.core.auth.login_flow import Visitor

REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Device:
    """A remembered browser in a list."""

    id: UUID
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip_address: str | None
    user_agent: str | None


async def remember_device(connection: AsyncConnection, user_id: int, visitor: Visitor, now: datetime) -> str:
    """Remember the visitor's browser for a user; gives the token for its cookie.

    The token is always a fresh one: one that the browser brings along may have been planted there.
    """
    token = new_token()
    await connection.execute(
        insert(devices).values(
            user_id=user_id,
            token_hash=hash_token(token),
            created_at=now,
            last_used_at=now,
            expires_at=now + REMEMBERED,
            ip_address=visitor.ip_address,
            user_agent=visitor.user_agent,
        )
    )
    return token


async def is_remembered(connection: AsyncConnection, user_id: int, token: str | None, now: datetime) -> bool:
    """Whether the user had this browser remembered less than 30 days ago."""
    if not token:
        return False
    mine = (devices.c.user_id == user_id) & (devices.c.token_hash == hash_token(token)) & (devices.c.expires_at > now)
    found = await connection.execute(update(devices).where(mine).values(last_used_at=now))
    return found.rowcount > 0


async def list_devices(connection: AsyncConnection, user_id: int, now: datetime) -> Sequence[Device]:
    """The user's remembered browsers, the last used first."""
    query = (
        select(
            devices.c.id,
            devices.c.created_at,
            devices.c.last_used_at,
            devices.c.expires_at,
            devices.c.ip_address,
            devices.c.user_agent,
        )
        .where(devices.c.user_id == user_id, devices.c.expires_at > now)
        .order_by(devices.c.last_used_at.desc())
    )
    return [
        Device(row.id, row.created_at, row.last_used_at, row.expires_at, _text(row.ip_address), row.user_agent)
        for row in await connection.execute(query)
    ]


async def forget_devices(connection: AsyncConnection, user_id: int, device_id: UUID | None = None) -> int:
    """Forget one of the user's browsers, or all of them; gives how many there were."""
    mine = devices.c.user_id == user_id
    if device_id is not None:
        mine &= devices.c.id == device_id
    return (await connection.execute(delete(devices).where(mine))).rowcount


async def remove_ended_devices(connection: AsyncConnection, now: datetime) -> int:
    """Forget browsers whose 30 days are over; gives how many."""
    return (await connection.execute(delete(devices).where(devices.c.expires_at <= now))).rowcount


def _text(address: object) -> str | None:
    return None if address is None else str(address)
