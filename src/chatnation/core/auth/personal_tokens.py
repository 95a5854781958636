"""Tokens that users make for their own programs: shown once, kept as hashes, never more than the user may do."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import InvalidName, checked_name
from chatnation.core.auth.one_time import hash_token
from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.storage.models import personal_tokens as tokens

if TYPE_CHECKING:
    from chatnation.core.context import Actor

PREFIX = "cn_pat_"
MOST = 50
"""Valid tokens of one user at one tenant."""

_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 40
_SHOWN = len(PREFIX) + 6
_FORMAT = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{_SECRET_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A token in a list; the token itself cannot be told any more."""

    id: int
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewPersonalToken:
    """A token that was just made. `secret` is shown now, because it is kept nowhere."""

    secret: str
    token: PersonalToken


def looks_like_personal_token(text: str) -> bool:
    """Whether `text` is written as our personal tokens are, so that anything else need not be looked up."""
    return _FORMAT.fullmatch(text) is not None


async def create_token(
    connection: AsyncConnection,
    actor: Actor,
    name: str,
    scopes: Collection[str],
    now: datetime,
    expires_at: datetime | None = None,
) -> NewPersonalToken:
    """Make a token of the actor's at their tenant. Raises NotAllowed for a scope that they do not hold, InvalidName."""
    assert actor.user_id is not None
    foreign = sorted(set(scopes) - actor.permissions)
    if foreign:
        raise NotAllowed(f"You cannot give a token what you may not do yourself: {', '.join(foreign)}.")
    if not scopes:
        raise InvalidName("A token needs at least one permission.")
    if expires_at is not None and expires_at <= now:
        raise InvalidName("A token cannot expire before it is made.")
    if len(await list_tokens(connection, actor.tenant.id, actor.user_id, now)) >= MOST:
        raise NotAllowed(f"You have {MOST} tokens; revoke one that you no longer need.")
    secret = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    values = {
        "name": checked_name(name),
        "prefix": secret[:_SHOWN],
        "scopes": sorted(set(scopes)),
        "created_at": now,
        "expires_at": expires_at,
    }
    token_id = await connection.scalar(
        insert(tokens)
        .values(tenant_id=actor.tenant.id, user_id=actor.user_id, hash=hash_token(secret), **values)
        .returning(tokens.c.id)
    )
    assert token_id is not None
    made = PersonalToken(
        token_id, str(values["name"]), secret[:_SHOWN], tuple(sorted(set(scopes))), now, expires_at, None
    )
    return NewPersonalToken(secret, made)


async def list_tokens(
    connection: AsyncConnection, tenant_id: int, user_id: int, now: datetime
) -> Sequence[PersonalToken]:
    """The user's valid tokens at a tenant, newest first."""
    columns = tokens.c
    query = (
        select(
            columns.id,
            columns.name,
            columns.prefix,
            columns.scopes,
            columns.created_at,
            columns.expires_at,
            columns.last_used_at,
        )
        .where(_of(tenant_id, user_id), or_(columns.expires_at.is_(None), columns.expires_at > now))
        .order_by(columns.id.desc())
    )
    return [
        PersonalToken(row.id, row.name, row.prefix, tuple(row.scopes), *row[4:])
        for row in await connection.execute(query)
    ]


async def revoke_token(connection: AsyncConnection, tenant_id: int, user_id: int, token_id: int, now: datetime) -> str:
    """Revoke one of the user's tokens; gives its name. Every process refuses it within a second. Raises Unknown."""
    revoked = update(tokens).where(_of(tenant_id, user_id), tokens.c.id == token_id).values(revoked_at=now)
    name: str | None = await connection.scalar(revoked.returning(tokens.c.name))
    if name is None:
        raise Unknown("You have no such token.")
    return name


def _of(tenant_id: int, user_id: int) -> ColumnElement[bool]:
    return (tokens.c.tenant_id == tenant_id) & (tokens.c.user_id == user_id) & tokens.c.revoked_at.is_(None)
