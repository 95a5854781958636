"""People who may log in, and the tenants they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.members import keep_an_admin
from chatnation.core.auth.names import checked_email, checked_name
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.tenancy import NameTaken, Unknown
from chatnation.core.auth.tenant_choice import tenants_of_user
from chatnation.core.storage.models import login_sessions, memberships, users


@dataclass(frozen=True, slots=True)
class Member:
    """A user within a tenant."""

    user_id: int
    email: str
    name: str
    role: str
    active: bool
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an address, and the active tenants where they are active."""

    id: int
    email: str
    name: str
    tenant_ids: tuple[int, ...]


async def create_user(
    connection: AsyncConnection, tenant_id: int, email: str, name: str, role: RoleName, password_hash: str | None
) -> int:
    """Make a user and a member of the tenant at once; gives the user's id. Raises NameTaken, InvalidName."""
    email = checked_email(email)
    values = {
        "email": email,
        "name": checked_name(name),
        "password_hash": password_hash,
        "password_changed_at": func.now() if password_hash else None,
    }
    try:
        async with connection.begin_nested():
            user_id = await connection.scalar(insert(users).values(values).returning(users.c.id))
    except IntegrityError:
        raise NameTaken(f"There is a user {email} already.") from None
    assert isinstance(user_id, int)
    await connection.execute(insert(memberships).values(tenant_id=tenant_id, user_id=user_id, role=str(role)))
    return user_id


async def list_members(connection: AsyncConnection, tenant_id: int) -> list[Member]:
    """The tenant's members, by e-mail address."""
    query = _MEMBERS.where(memberships.c.tenant_id == tenant_id).order_by(func.lower(users.c.email))
    return [_member(row) for row in await connection.execute(query)]


async def find_member(connection: AsyncConnection, tenant_id: int, email: str) -> Member:
    """The tenant's member of that address. Raises Unknown."""
    query = _MEMBERS.where(memberships.c.tenant_id == tenant_id, func.lower(users.c.email) == email.strip().lower())
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Unknown(f"There is no user {email}.")
    return _member(row)


async def find_user(connection: AsyncConnection, user_id: int) -> User:
    """The user of that id. Needs the system door. Raises Unknown."""
    query = select(users.c.email, users.c.name).where(users.c.id == user_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Unknown("There is no such user.")
    found = await tenants_of_user(connection, user_id)
    return User(user_id, row.email, row.name, tuple(tenant.id for tenant in found))


async def set_password(connection: AsyncConnection, user_id: int, password_hash: str) -> None:
    """Replace a password; whoever is logged in with the old one is logged out."""
    await connection.execute(
        update(users).where(users.c.id == user_id).values(password_hash=password_hash, password_changed_at=func.now())
    )
    await connection.execute(delete(login_sessions).where(login_sessions.c.user_id == user_id))


async def revoke_membership(connection: AsyncConnection, tenant_id: int, member: Member) -> None:
    """Take a member's access to the tenant away, at once. Raises LastAdmin."""
    await keep_an_admin(connection, tenant_id, member.user_id, member.email)
    of_member = (memberships.c.tenant_id == tenant_id) & (memberships.c.user_id == member.user_id)
    await connection.execute(update(memberships).where(of_member).values(active=False))
    await connection.execute(
        delete(login_sessions).where(
            login_sessions.c.tenant_id == tenant_id, login_sessions.c.user_id == member.user_id
        )
    )


_MEMBERS = select(
    users.c.id,
    users.c.email,
    users.c.name,
    memberships.c.role,
    memberships.c.active,
    memberships.c.created_at,
    users.c.last_login_at,
).select_from(memberships.join(users, users.c.id == memberships.c.user_id))


def _member(row: Sequence[Any]) -> Member:
    return Member(*row)
