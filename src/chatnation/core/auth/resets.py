"""Links to set a new password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.one_time import hash_token, new_token
from chatnation.core.auth.refusals import BadLink
from chatnation.core.storage.models import memberships, password_resets, tenants, users

VALID_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ResetLink:
    """A link for a user, to be mailed. `token` is kept nowhere."""

    user_id: int
    email: str
    name: str
    token: str
    expires_at: datetime


async def make_reset(connection: AsyncConnection, email: str, now: datetime) -> ResetLink | None:
    """A link for the user of that address, instead of any earlier one.

    None for an unknown address and for whoever could not log in anyhow: disabled, or without an active membership.
    """
    query = select(users.c.id, users.c.email, users.c.name).where(
        func.lower(users.c.email) == email.strip().lower(),
        users.c.disabled_at.is_(None),
        select(memberships.c.user_id)
        .join(tenants, tenants.c.id == memberships.c.tenant_id)
        .where(memberships.c.user_id == users.c.id, memberships.c.active, tenants.c.active)
        .exists(),
    )
    user = (await connection.execute(query)).one_or_none()
    if user is None:
        return None
    token = new_token()
    values = {"token_hash": hash_token(token), "created_at": now, "expires_at": now + VALID_FOR}
    await connection.execute(
        insert(password_resets)
        .values(user_id=user.id, **values)
        .on_conflict_do_update(index_elements=[password_resets.c.user_id], set_=values)
    )
    return ResetLink(user.id, user.email, user.name, token, now + VALID_FOR)


async def user_of_reset(connection: AsyncConnection, token: str, now: datetime) -> int:
    """Whose link it is; it stays valid. Raises BadLink."""
    user_id = await connection.scalar(select(password_resets.c.user_id).where(_valid(token, now)))
    return _found(user_id)


async def use_reset(connection: AsyncConnection, token: str, now: datetime) -> int:
    """Whose link it is; it cannot be used again, unless the transaction rolls back. Raises BadLink."""
    used = delete(password_resets).where(_valid(token, now)).returning(password_resets.c.user_id)
    return _found(await connection.scalar(used))


def _valid(token: str, now: datetime) -> ColumnElement[bool]:
    return (password_resets.c.token_hash == hash_token(token)) & (password_resets.c.expires_at > now)


def _found(user_id: int | None) -> int:
    if user_id is None:
        raise BadLink("This link is not valid any more. Ask for a new one.")
    return user_id
