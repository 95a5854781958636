"""Going on as a program: a refresh token is good for one exchange, and an old one that comes back ends the login."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.logins import OpenedLogin
from chatnation.core.auth.one_time import hash_token, new_token
from chatnation.core.storage.models import login_sessions, spent_refresh_tokens


@dataclass(frozen=True, slots=True)
class Reused:
    """A token that was exchanged before came back: somebody has a copy. Its login is closed now."""

    login_id: UUID
    tenant_id: int
    user_id: int


async def exchange(connection: AsyncConnection, refresh_token: str, now: datetime) -> OpenedLogin | Reused | None:
    """The login with a fresh refresh token; None for one that is unknown or whose login has ended."""
    digest, fresh = hash_token(refresh_token), new_token()
    columns = login_sessions.c
    renewed = await connection.execute(
        update(login_sessions)
        .where(columns.token_hash == digest, columns.program, columns.expires_at > now)
        .values(token_hash=hash_token(fresh), last_seen_at=now)
        .returning(columns.id, columns.user_id, columns.tenant_id, columns.expires_at)
    )
    row = renewed.one_or_none()
    if row is None:
        return await _end_reused(connection, digest)
    await connection.execute(insert(spent_refresh_tokens).values(token_hash=digest, login_id=row.id, spent_at=now))
    return OpenedLogin(row.id, fresh, row.user_id, row.tenant_id, row.expires_at)


async def _end_reused(connection: AsyncConnection, digest: bytes) -> Reused | None:
    spent = select(spent_refresh_tokens.c.login_id).where(spent_refresh_tokens.c.token_hash == digest)
    ended = await connection.execute(
        delete(login_sessions)
        .where(login_sessions.c.id.in_(spent))
        .returning(login_sessions.c.id, login_sessions.c.tenant_id, login_sessions.c.user_id)
    )
    row = ended.one_or_none()
    return Reused(*row) if row else None
