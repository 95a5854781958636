"""Open logins: a random token in a cookie or with a program, its hash in the database. A user may have many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.login_steps import Proof
from chatnation.core.auth.one_time import hash_token, new_token
from chatnation.core.storage.models import login_sessions, users

if TYPE_CHECKING:
    from chatnation.core.auth.security_policy import SecurityPolicy

_USER_AGENT_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser or program that wants in, with what it brought along.

    `device_token` and `session_token` come from its cookies; a login that it has already is replaced by the new one.
    `program`: it wants tokens for the API rather than a cookie.
    """

    ip_address: str | None = None
    user_agent: str | None = None
    device_token: str | None = None
    session_token: str | None = None
    program: bool = False


@dataclass(frozen=True, slots=True)
class OpenedLogin:
    """A login that was just opened. `token` goes into the cookie, or is a program's refresh token; kept nowhere."""

    id: UUID
    token: str
    user_id: int
    tenant_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LoginEntry:
    """An open login in a list."""

    id: UUID
    program: bool
    tenant_id: int
    second_factor: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ip_address: str | None
    user_agent: str | None


async def open_login(
    connection: AsyncConnection,
    tenant_id: int,
    user_id: int,
    policy: SecurityPolicy,
    now: datetime,
    visitor: Visitor = Visitor(),
    *,
    proof: Proof = Proof.PASSWORD,
    second_factor: str | None = None,
) -> OpenedLogin:
    """Open a login with a token of its own, whatever the visitor had before."""
    token = new_token()
    expires_at = now + policy.longest
    login_id: UUID | None = await connection.scalar(
        insert(login_sessions)
        .values(
            token_hash=hash_token(token),
            tenant_id=tenant_id,
            user_id=user_id,
            program=visitor.program,
            proof=str(proof),
            second_factor=second_factor,
            created_at=now,
            confirmed_at=now,
            last_seen_at=now,
            expires_at=expires_at,
            ip_address=visitor.ip_address,
            user_agent=visitor.user_agent[:_USER_AGENT_LENGTH] if visitor.user_agent else None,
        )
        .returning(login_sessions.c.id)
    )
    assert login_id is not None
    await connection.execute(update(users).where(users.c.id == user_id).values(last_login_at=now))
    return OpenedLogin(login_id, token, user_id, tenant_id, expires_at)


async def list_logins(
    connection: AsyncConnection, user_id: int, policy: SecurityPolicy, now: datetime
) -> Sequence[LoginEntry]:
    """The user's logins that are open, the last used first."""
    columns = login_sessions.c
    query = (
        select(
            columns.id,
            columns.program,
            columns.tenant_id,
            columns.second_factor,
            columns.created_at,
            columns.last_seen_at,
            columns.expires_at,
            columns.ip_address,
            columns.user_agent,
        )
        .where(columns.user_id == user_id, *_live(policy, now))
        .order_by(columns.last_seen_at.desc())
    )
    return [_entry(row) for row in await connection.execute(query)]


async def is_logged_in_elsewhere(
    connection: AsyncConnection, user_id: int, policy: SecurityPolicy, now: datetime, visitor: Visitor
) -> bool:
    """Whether the user has an open login besides the one that the visitor brings along."""
    here = login_sessions.c.token_hash == hash_token(visitor.session_token or "")
    others = select(login_sessions.c.id).where(login_sessions.c.user_id == user_id, ~here, *_live(policy, now))
    return await connection.scalar(others.limit(1)) is not None


async def close_login(connection: AsyncConnection, user_id: int, login_id: UUID) -> bool:
    """Close one of the user's logins; says whether there was one."""
    mine = (login_sessions.c.user_id == user_id) & (login_sessions.c.id == login_id)
    return (await connection.execute(delete(login_sessions).where(mine))).rowcount > 0


async def close_by_token(connection: AsyncConnection, token: str) -> tuple[int, int] | None:
    """Close the login of a cookie; gives its tenant and user, None if there is none."""
    closed = await connection.execute(
        delete(login_sessions)
        .where(login_sessions.c.token_hash == hash_token(token))
        .returning(login_sessions.c.tenant_id, login_sessions.c.user_id)
    )
    row = closed.one_or_none()
    return (row.tenant_id, row.user_id) if row else None


async def close_logins(connection: AsyncConnection, user_id: int, *, keep: UUID | None = None) -> int:
    """Close every login of a user, but `keep`; gives how many there were."""
    mine = login_sessions.c.user_id == user_id
    if keep is not None:
        mine &= login_sessions.c.id != keep
    return (await connection.execute(delete(login_sessions).where(mine))).rowcount


async def close_tenant_logins(connection: AsyncConnection, tenant_id: int) -> int:
    """Close everybody's logins at a tenant; gives how many there were."""
    gone = await connection.execute(delete(login_sessions).where(login_sessions.c.tenant_id == tenant_id))
    return gone.rowcount


async def remove_ended(connection: AsyncConnection, now: datetime) -> int:
    """Delete logins that have ended; gives how many."""
    gone = await connection.execute(delete(login_sessions).where(login_sessions.c.expires_at < now))
    return gone.rowcount


def _live(policy: SecurityPolicy, now: datetime) -> list[ColumnElement[bool]]:
    """Not ended, and not idle for too long; a program is never idle, its refresh token has a time of its own."""
    live = [login_sessions.c.expires_at > now]
    if policy.idle is not None:
        live.append(or_(login_sessions.c.program, login_sessions.c.last_seen_at > now - policy.idle))
    return live


def _entry(row: Any) -> LoginEntry:
    address = None if row.ip_address is None else str(row.ip_address)
    return LoginEntry(**{**row._mapping, "ip_address": address})
