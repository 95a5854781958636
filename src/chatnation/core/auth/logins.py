"""Logins of people: a random token in a cookie, its hash in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.passwords import verify_password
from chatnation.core.auth.permissions import Roles
from chatnation.core.context import Actor, Tenant
from chatnation.core.storage.models import login_sessions, memberships, tenants, users

if TYPE_CHECKING:
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage

LONGEST = timedelta(days=7)
"""A login ends after this time, unless the tenant's `session.maxDurationMinutes` says otherwise."""

_SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Login:
    """A login that was just opened. `token` goes into the cookie and is kept nowhere else."""

    token: str
    actor: Actor
    expires_at: datetime


class Logins:
    """Opens, recognises and closes logins. A user may have many at once."""

    def __init__(self, storage: Storage, roles: Roles, clock: Clock) -> None:
        self._storage = storage
        self._roles = roles
        self._clock = clock

    async def log_in(
        self, email: str, password: str, *, ip_address: str | None = None, user_agent: str | None = None
    ) -> Login | None:
        """Open a login at the user's first active tenant.

        None when the address is unknown, the password wrong, or the user disabled or without a tenant; all four take
        the same time.
        """
        async with self._storage.system("a login names no tenant yet") as connection:
            found = (await connection.execute(_BY_EMAIL, {"email": email.strip().lower()})).first()
        right = await verify_password(password, found.password_hash if found else None)
        if found is None or not right:
            return None
        now = self._clock.now()
        expires_at = now + _minutes(found.settings, "maxDurationMinutes", LONGEST)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        async with self._storage.system("open a login") as connection:
            await connection.execute(
                insert(login_sessions).values(
                    token_hash=_hash(token),
                    tenant_id=found.tenant_id,
                    user_id=found.user_id,
                    created_at=now,
                    last_seen_at=now,
                    expires_at=expires_at,
                    ip_address=ip_address,
                    user_agent=user_agent[:500] if user_agent else None,
                )
            )
            await connection.execute(update(users).where(users.c.id == found.user_id).values(last_login_at=now))
        return Login(token, self._actor(found), expires_at)

    async def recognise(self, token: str) -> Actor | None:
        """Who has this token, unless the login was closed, has ended, or was idle for longer than the tenant allows."""
        async with self._storage.system("a cookie names no tenant yet") as connection:
            row = (await connection.execute(_BY_TOKEN, {"token_hash": _hash(token)})).first()
            if row is None:
                return None
            now = self._clock.now()
            idle = _minutes(row.settings, "inactivityTimeoutMinutes", timedelta.max)
            if now >= row.expires_at or now - row.last_seen_at >= idle:
                await connection.execute(delete(login_sessions).where(login_sessions.c.token_hash == _hash(token)))
                return None
            if now - row.last_seen_at >= _SEEN_EVERY:
                await connection.execute(
                    update(login_sessions).where(login_sessions.c.token_hash == _hash(token)).values(last_seen_at=now)
                )
        return self._actor(row)

    async def log_out(self, token: str) -> None:
        """Close a login; nothing happens if there is none."""
        async with self._storage.system("a cookie names no tenant yet") as connection:
            await connection.execute(delete(login_sessions).where(login_sessions.c.token_hash == _hash(token)))

    async def log_out_everywhere(self, user_id: int) -> int:
        """Close every login of a user; gives how many there were."""
        async with self._storage.system("logins of a user at every tenant") as connection:
            gone = await connection.execute(delete(login_sessions).where(login_sessions.c.user_id == user_id))
            return gone.rowcount

    def _actor(self, row: Any) -> Actor:
        return Actor(
            tenant=Tenant(row.tenant_id, row.slug, row.tenant_name, row.timezone),
            permissions=self._roles.permissions(row.role),
            user_id=row.user_id,
            name=row.name,
            email=row.email,
            role=row.role,
        )


async def remove_ended(connection: AsyncConnection, now: datetime) -> int:
    """Delete logins that have ended; gives how many."""
    gone = await connection.execute(delete(login_sessions).where(login_sessions.c.expires_at < now))
    return gone.rowcount


_PERSON = (
    users.c.id.label("user_id"),
    users.c.name,
    users.c.email,
    memberships.c.role,
    tenants.c.id.label("tenant_id"),
    tenants.c.slug,
    tenants.c.name.label("tenant_name"),
    tenants.c.timezone,
    tenants.c.settings,
)
_ACTIVE = memberships.c.active & users.c.disabled_at.is_(None)

_BY_EMAIL = (
    select(*_PERSON, users.c.password_hash)
    .select_from(
        users.join(memberships, memberships.c.user_id == users.c.id).join(
            tenants, tenants.c.id == memberships.c.tenant_id
        )
    )
    .where(func.lower(users.c.email) == bindparam("email"), _ACTIVE)
    .order_by(memberships.c.created_at, memberships.c.tenant_id)
    .limit(1)
)

_BY_TOKEN = (
    select(*_PERSON, login_sessions.c.last_seen_at, login_sessions.c.expires_at)
    .select_from(
        login_sessions.join(users, users.c.id == login_sessions.c.user_id)
        .join(
            memberships,
            (memberships.c.user_id == users.c.id) & (memberships.c.tenant_id == login_sessions.c.tenant_id),
        )
        .join(tenants, tenants.c.id == login_sessions.c.tenant_id)
    )
    .where(login_sessions.c.token_hash == bindparam("token_hash"), _ACTIVE)
)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _minutes(tenant_settings: dict[str, Any], name: str, default: timedelta) -> timedelta:
    """A length of time in the tenant's settings; 0 and anything that is no number count as not set."""
    session = tenant_settings.get("session")
    minutes = session.get(name) if isinstance(session, dict) else None
    return timedelta(minutes=minutes) if isinstance(minutes, int | float) and minutes > 0 else default
