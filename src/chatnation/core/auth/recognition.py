"""Who sends a request, by cookie or token; kept in memory, so that most requests need no query for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.login_steps import Proof
from chatnation.core.auth.one_time import hash_token
from chatnation.core.auth.personal_tokens import looks_like_personal_token
from chatnation.core.auth.security_policy import SecurityPolicy
from chatnation.core.context import Actor
from chatnation.core.storage.models import login_sessions, personal_tokens, second_factors
from chatnation.core.storage.storage import after_commit

if TYPE_CHECKING:
    from chatnation.core.auth.effective import Standing, Standings
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage
    from chatnation.core.storage.versions import Versions

CACHE = "logins"
"""Our row in `cache_versions`; triggers raise it when logins are closed or moved, and with factors and tokens."""

_MOST = 50_000
_TRUSTED_SECONDS = 2.0
"""Once the versions could not be read for this long, what is in memory may have been revoked."""
_NOTED_EVERY = timedelta(minutes=1)
_NOTED_SHARE = 10

Held = TypeVar("Held", "_HeldLogin", "_HeldToken")


@dataclass(slots=True)
class _HeldLogin:
    id: UUID
    token_hash: bytes
    tenant_id: int
    user_id: int
    program: bool
    second_factor: str | None
    created_at: datetime
    confirmed_at: datetime
    expires_at: datetime
    last_seen_at: datetime
    noted_at: datetime
    has_factor: bool


@dataclass(slots=True)
class _HeldToken:
    id: int
    tenant_id: int
    user_id: int
    scopes: frozenset[str]
    expires_at: datetime | None
    noted_at: datetime | None
    has_factor: bool


class Recognition:
    """Recognises logins and personal tokens. What somebody may do is their standing now, not when they signed in.

    A login that is closed, or a token that is revoked, is refused by every process within a second, by the one that
    does it at once if it calls `forget_after`.
    """

    def __init__(self, storage: Storage, standings: Standings, versions: Versions, clock: Clock) -> None:
        self._storage = storage
        self._standings = standings
        self._versions = versions
        self._clock = clock
        self._logins: dict[bytes | UUID, _HeldLogin] = {}
        self._tokens: dict[bytes, _HeldToken] = {}
        self._changes = 0

    async def by_cookie(self, token: str, *, active: bool = True) -> Actor | None:
        """Who has the login of this cookie, unless it was closed, has ended, or was idle for too long.

        `active`: the request is somebody's doing, and not a page that asks for news by itself.
        """
        digest = hash_token(token)
        matches = (login_sessions.c.token_hash == digest) & ~login_sessions.c.program
        return await self._login(digest, matches, active=active)

    async def by_login(self, login_id: UUID) -> Actor | None:
        """Who has the program's login of this id, unless it was closed or has ended."""
        matches = (login_sessions.c.id == login_id) & login_sessions.c.program
        return await self._login(login_id, matches, active=True)

    async def by_personal_token(self, token: str) -> Actor | None:
        """Whose personal token it is, with what both its scopes and its owner's permissions allow."""
        if not looks_like_personal_token(token):
            return None
        held = await self._held(self._tokens, hash_token(token), lambda connection: _token(connection, token))
        now = self._clock.now()
        if held is None or (held.expires_at is not None and now >= held.expires_at):
            return None
        standing = await self._standings.of(held.tenant_id, held.user_id)
        if standing is None:
            return None
        if held.noted_at is None or now - held.noted_at >= _NOTED_EVERY:
            await self._note_token(held, now)
        required = SecurityPolicy.of(standing.tenant_settings).second_factor_required
        return replace(
            standing.actor(),
            permissions=standing.permissions & held.scopes,
            team_permissions={team: own & held.scopes for team, own in standing.team_permissions.items()},
            token_id=held.id,
            limited=required and not held.has_factor,
        )

    async def forget(self) -> None:
        """Look everything up again."""
        self._changes += 1
        self._logins.clear()
        self._tokens.clear()

    def forget_after(self, connection: AsyncConnection) -> None:
        """Have this process look everything up again as soon as the transaction of `connection` has committed."""
        after_commit(connection, self.forget)

    async def _login(self, key: bytes | UUID, matches: ColumnElement[bool], *, active: bool) -> Actor | None:
        held = await self._held(self._logins, key, lambda connection: _login(connection, matches))
        if held is None:
            return None
        standing = await self._standings.of(held.tenant_id, held.user_id)
        if standing is None:
            return None
        policy, now = SecurityPolicy.of(standing.tenant_settings), self._clock.now()
        if _over(held, policy, now):
            held = await self._again(key, matches)  # Another process may have seen more of it.
            if held is None or _over(held, policy, now):
                await self._end(key, held)
                return None
        if active:
            await self._note_login(held, policy, now)
        return _actor(standing, held, policy)

    async def _again(self, key: bytes | UUID, matches: ColumnElement[bool]) -> _HeldLogin | None:
        self._logins.pop(key, None)
        return await self._held(self._logins, key, lambda connection: _login(connection, matches))

    async def _end(self, key: bytes | UUID, held: _HeldLogin | None) -> None:
        self._logins.pop(key, None)
        if held is not None:
            async with self._storage.system("a login that has ended") as connection:
                await connection.execute(delete(login_sessions).where(login_sessions.c.id == held.id))

    async def _held(self, cache: dict[Any, Held], key: Any, read: Callable[[AsyncConnection], Any]) -> Held | None:
        if key in cache and self._versions.age < _TRUSTED_SECONDS:
            return cache[key]
        changes = self._changes
        async with self._storage.system("a token names no tenant yet") as connection:
            held: Held | None = await read(connection)
        if held is not None and changes == self._changes:
            if len(cache) >= _MOST:
                cache.clear()
            cache[key] = held
        return held

    async def _note_login(self, held: _HeldLogin, policy: SecurityPolicy, now: datetime) -> None:
        """Keep when the login was last used; written seldom enough to cost nothing, often enough for the limit."""
        held.last_seen_at = max(held.last_seen_at, now)
        every = min(_NOTED_EVERY, policy.idle / _NOTED_SHARE) if policy.idle else _NOTED_EVERY
        if now - held.noted_at < every:
            return
        held.noted_at = now
        async with self._storage.system("when a login was last used") as connection:
            this = login_sessions.c.id == held.id
            await connection.execute(update(login_sessions).where(this).values(last_seen_at=now))

    async def _note_token(self, held: _HeldToken, now: datetime) -> None:
        held.noted_at = now
        async with self._storage.system("when a token was last used") as connection:
            this = personal_tokens.c.id == held.id
            await connection.execute(update(personal_tokens).where(this).values(last_used_at=now))


def _over(held: _HeldLogin, policy: SecurityPolicy, now: datetime) -> bool:
    if now >= min(held.expires_at, held.created_at + policy.longest):
        return True  # Also logins from before the tenant made them shorter.
    return policy.idle is not None and not held.program and now - held.last_seen_at >= policy.idle


def _actor(standing: Standing, held: _HeldLogin, policy: SecurityPolicy) -> Actor:
    vouched = held.second_factor == Proof.SINGLE_SIGN_ON  # The provider asked for one, by its own word.
    missing = policy.second_factor_required and not held.has_factor and not vouched
    return replace(standing.actor(), login_id=held.id, confirmed_at=held.confirmed_at, limited=missing)


_HAS_FACTOR = exists().where(second_factors.c.user_id == login_sessions.c.user_id)


async def _login(connection: AsyncConnection, matches: ColumnElement[bool]) -> _HeldLogin | None:
    columns = login_sessions.c
    query = select(
        columns.id,
        columns.token_hash,
        columns.tenant_id,
        columns.user_id,
        columns.program,
        columns.second_factor,
        columns.created_at,
        columns.confirmed_at,
        columns.expires_at,
        columns.last_seen_at,
        columns.last_seen_at.label("noted_at"),
        _HAS_FACTOR.label("has_factor"),
    ).where(matches)
    row = (await connection.execute(query)).one_or_none()
    return _HeldLogin(**row._mapping) if row else None


async def _token(connection: AsyncConnection, token: str) -> _HeldToken | None:
    columns = personal_tokens.c
    query = select(
        columns.id,
        columns.tenant_id,
        columns.user_id,
        columns.scopes,
        columns.expires_at,
        columns.last_used_at,
        exists().where(second_factors.c.user_id == columns.user_id),
    ).where(columns.hash == hash_token(token), columns.revoked_at.is_(None))
    row = (await connection.execute(query)).one_or_none()
    return _HeldToken(row[0], row[1], row[2], frozenset(row[3]), *row[4:]) if row else None
