"""Keys of programs: made, shown once, kept as hashes, revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import checked_name
from chatnation.core.auth.origins import AllowedOrigins, checked_origin
from chatnation.core.auth.refusals import Impossible
from chatnation.core.auth.tenancy import IpMode, MaskingRule, Unknown
from chatnation.core.context import Tenant
from chatnation.core.errors import ChatnationError
from chatnation.core.storage.models import api_keys, projects, tenants, users

_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 32
_SHOWN_LENGTH = 6
_FORMAT = re.compile(rf"cn_(?:write|read|server|handover)_[A-Za-z0-9]{{{_SECRET_LENGTH}}}")


class KeyType(StrEnum):
    """What a key opens: `write` takes events from browsers, `server` from servers, `read` opens the API, `handover`
    hands a chat over to an agent."""

    WRITE = "write"
    READ = "read"
    SERVER = "server"
    HANDOVER = "handover"

    @property
    def sends_events(self) -> bool:
        return self in (KeyType.WRITE, KeyType.SERVER)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. `secret` is shown to somebody now, because it is kept nowhere."""

    id: int
    secret: str
    prefix: str


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key in a list; the key itself cannot be told any more."""

    id: int
    name: str
    type: KeyType
    prefix: str
    project: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    """Instead of the project's; none: the project's."""
    created_by: str | None = None
    """Name of the user; None for an operator, or somebody who is gone."""


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a valid key yields: whose it is, and how its project wants events to be treated.

    `project_id` is set for every key that sends events. `tenant_settings` and `project_settings` are JSON objects.
    """

    key_id: int
    type: KeyType
    tenant: Tenant
    project_id: int | None
    project: str | None
    origins: AllowedOrigins
    scopes: frozenset[str]
    expires_at: datetime | None
    ip_mode: IpMode
    masking: Mapping[str, MaskingRule]
    project_settings: Mapping[str, Any]
    tenant_settings: Mapping[str, Any]

    def valid_at(self, now: datetime) -> bool:
        return self.expires_at is None or now < self.expires_at


def hash_key(secret: str) -> bytes:
    """What is stored of a key. A plain SHA-256 will do: a key is too long to be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def looks_like_key(text: str) -> bool:
    """Whether `text` is written as our keys are, so that anything else need not be looked up."""
    return _FORMAT.fullmatch(text) is not None


async def create_key(
    connection: AsyncConnection,
    tenant_id: int,
    name: str,
    kind: KeyType,
    *,
    project_id: int | None = None,
    allowed_origins: Sequence[str] | None = None,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
    created_by: int | None = None,
) -> NewKey:
    """Make a key. One that sends events needs the project that they go to. `created_by` is the id of a user."""
    if kind.sends_events and project_id is None:
        raise ChatnationError(f"A {kind} key needs the project that its events go to.")
    start = f"cn_{kind}_"
    secret = start + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    prefix = secret[: len(start) + _SHOWN_LENGTH]
    key_id = await connection.scalar(
        insert(api_keys)
        .values(
            tenant_id=tenant_id,
            project_id=project_id,
            name=checked_name(name),
            type=str(kind),
            prefix=prefix,
            hash=hash_key(secret),
            allowed_origins=[checked_origin(origin) for origin in allowed_origins] if allowed_origins else None,
            scopes=list(scopes),
            expires_at=expires_at,
            created_by=created_by,
        )
        .returning(api_keys.c.id)
    )
    assert key_id is not None
    return NewKey(key_id, secret, prefix)


async def revoke_key(connection: AsyncConnection, tenant_id: int, key: str) -> KeyEntry:
    """Revoke a key, named as for `find_key`; every process refuses it within a second. Raises Unknown."""
    found = await find_key(connection, tenant_id, key)
    await connection.execute(update(api_keys).where(api_keys.c.id == found.id).values(revoked_at=func.now()))
    return found


async def rotate_key(
    connection: AsyncConnection,
    tenant_id: int,
    key: str,
    now: datetime,
    overlap: timedelta,
    *,
    created_by: int | None = None,
) -> tuple[KeyEntry, NewKey]:
    """Make a key that may do the same, and have the old one end after `overlap`; gives the old one and the new.

    The new key is valid for as long as the old one was meant to be. Raises Unknown; Impossible when the old key has
    ended already.
    """
    old = await find_key(connection, tenant_id, key)
    if old.expires_at is not None and old.expires_at <= now:
        raise Impossible("This key has ended already. Make a new one.")
    project_id = await connection.scalar(select(api_keys.c.project_id).where(api_keys.c.id == old.id))
    lifetime = old.expires_at - old.created_at if old.expires_at else None
    new = await create_key(
        connection,
        tenant_id,
        old.name,
        old.type,
        project_id=project_id,
        allowed_origins=old.allowed_origins,
        scopes=old.scopes,
        expires_at=now + lifetime if lifetime else None,
        created_by=created_by,
    )
    end = now + overlap
    values = {"revoked_at": now} if overlap <= timedelta() else {"expires_at": min(old.expires_at or end, end)}
    await connection.execute(update(api_keys).where(api_keys.c.id == old.id).values(values))
    return old, new


async def find_key(connection: AsyncConnection, tenant_id: int, key: str) -> KeyEntry:
    """The key that is not revoked and has this id, this prefix, or is this key.

    Raises Unknown, also when more than one key starts so.
    """
    found = [entry for entry in await list_keys(connection, tenant_id) if _is(entry, key) and entry.revoked_at is None]
    if len(found) != 1:
        count = "More than one" if found else "No"
        raise Unknown(f"{count} valid key is {key}; give its id, see `chatnation key list`.")
    return found[0]


async def list_keys(connection: AsyncConnection, tenant_id: int) -> list[KeyEntry]:
    """The tenant's keys, the revoked ones included, newest first."""
    keys = api_keys.c
    query = (
        select(
            keys.id,
            keys.name,
            keys.type,
            keys.prefix,
            projects.c.slug.label("project"),
            keys.created_at,
            keys.expires_at,
            keys.last_used_at,
            keys.revoked_at,
            keys.scopes,
            keys.allowed_origins,
            users.c.name.label("created_by"),
        )
        .select_from(
            api_keys.outerjoin(projects, projects.c.id == keys.project_id).outerjoin(
                users, users.c.id == keys.created_by
            )
        )
        .where(keys.tenant_id == tenant_id)
        .order_by(keys.id.desc())
    )
    return [
        KeyEntry(
            id=row.id,
            name=row.name,
            type=KeyType(row.type),
            prefix=row.prefix,
            project=row.project,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
            revoked_at=row.revoked_at,
            scopes=tuple(row.scopes),
            allowed_origins=tuple(row.allowed_origins or ()),
            created_by=row.created_by,
        )
        for row in await connection.execute(query)
    ]


async def find_grant(connection: AsyncConnection, secret: str) -> KeyGrant | None:
    """What the key yields, unless it is unknown or revoked. Whether it has expired is for the caller to ask."""
    row = (await connection.execute(_GRANTS.where(api_keys.c.hash == hash_key(secret)))).one_or_none()
    return _grant(row) if row else None


async def all_grants(connection: AsyncConnection) -> dict[bytes, KeyGrant]:
    """What every key that is not revoked yields, by hash."""
    return {row.hash: _grant(row) for row in await connection.execute(_GRANTS)}


_GRANTS = (
    select(
        api_keys.c.hash,
        api_keys.c.id,
        api_keys.c.type,
        api_keys.c.tenant_id,
        tenants.c.slug.label("tenant_slug"),
        tenants.c.name.label("tenant_name"),
        tenants.c.timezone,
        tenants.c.settings.label("tenant_settings"),
        api_keys.c.project_id,
        projects.c.slug.label("project_slug"),
        func.coalesce(api_keys.c.allowed_origins, projects.c.allowed_origins).label("origins"),
        api_keys.c.scopes,
        api_keys.c.expires_at,
        projects.c.ip_mode,
        projects.c.masking,
        projects.c.settings.label("project_settings"),
    )
    .select_from(
        api_keys.join(tenants, tenants.c.id == api_keys.c.tenant_id).outerjoin(
            projects, projects.c.id == api_keys.c.project_id
        )
    )
    .where(api_keys.c.revoked_at.is_(None))
)


def _grant(row: Any) -> KeyGrant:
    return KeyGrant(
        key_id=row.id,
        type=KeyType(row.type),
        tenant=Tenant(row.tenant_id, row.tenant_slug, row.tenant_name, row.timezone),
        project_id=row.project_id,
        project=row.project_slug,
        origins=AllowedOrigins.of(row.origins or ()),
        scopes=frozenset(row.scopes),
        expires_at=row.expires_at,
        ip_mode=IpMode(row.ip_mode or IpMode.MASK),
        masking={name: MaskingRule(rule) for name, rule in (row.masking or {}).items()},
        project_settings=row.project_settings or {},
        tenant_settings=row.tenant_settings,
    )


def _is(entry: KeyEntry, key: str) -> bool:
    return key == str(entry.id) or (len(key) > len(f"cn_{entry.type}_") and key.startswith(entry.prefix))
