"""Changing what members of a tenant are; who may do so to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.permissions import RoleName, Roles
from chatnation.core.auth.refusals import Impossible, LastAdmin
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.auth.tenant_roles import TenantRole, check_grantable, find_role, find_role_to_give
from chatnation.core.context import Actor
from chatnation.core.storage.models import login_sessions, memberships, personal_tokens, roles, users


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A member in a list. `role` is what people call it, `role_key` names it in forms."""

    user_id: int
    email: str
    name: str
    role: str
    role_key: str
    active: bool
    joined_at: datetime
    last_login_at: datetime | None
    invited_by: str | None


async def list_member_entries(connection: AsyncConnection, tenant_id: int) -> list[MemberEntry]:
    """The tenant's members, by name; the deactivated ones last."""
    query = _ENTRIES.where(memberships.c.tenant_id == tenant_id)
    order = memberships.c.active.desc(), func.lower(users.c.name), users.c.id
    return [_entry(row) for row in await connection.execute(query.order_by(*order))]


async def member_entry(connection: AsyncConnection, tenant_id: int, user_id: int) -> MemberEntry:
    """One member of the tenant. Raises Unknown."""
    query = _ENTRIES.where(memberships.c.tenant_id == tenant_id, memberships.c.user_id == user_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Unknown("There is no such member.")
    return _entry(row)


async def change_member_role(
    connection: AsyncConnection, actor: Actor, defaults: Roles, user_id: int, wanted: str
) -> tuple[MemberEntry, TenantRole]:
    """Give a member another role; gives who they were, and the role.

    Raises Unknown, NotAllowed when either role is above the actor's, Impossible for one's own, LastAdmin.
    """
    member = await _touchable(connection, actor, defaults, user_id)
    role = await find_role_to_give(connection, actor.tenant.id, wanted, defaults)
    check_grantable(actor, role)
    if role.system is not RoleName.SUPER_ADMIN:
        await keep_an_admin(connection, actor.tenant.id, member.user_id, member.email)
    system, role_id = role.stored
    await connection.execute(
        update(memberships).where(_of(actor.tenant.id, user_id)).values(role=str(system), role_id=role_id)
    )
    return member, role


async def deactivate_member(connection: AsyncConnection, actor: Actor, defaults: Roles, user_id: int) -> MemberEntry:
    """Take a member's access away and close their logins at the tenant; gives who they were.

    Raises as `change_member_role`.
    """
    member = await _touchable(connection, actor, defaults, user_id)
    await keep_an_admin(connection, actor.tenant.id, member.user_id, member.email)
    await connection.execute(update(memberships).where(_of(actor.tenant.id, user_id)).values(active=False))
    await connection.execute(
        delete(login_sessions).where(login_sessions.c.tenant_id == actor.tenant.id, login_sessions.c.user_id == user_id)
    )
    return member


async def reactivate_member(connection: AsyncConnection, actor: Actor, defaults: Roles, user_id: int) -> MemberEntry:
    """Give a deactivated member access again, with the role they had; gives who they were.

    Raises as `change_member_role`.
    """
    member = await _touchable(connection, actor, defaults, user_id)
    await connection.execute(update(memberships).where(_of(actor.tenant.id, user_id)).values(active=True))
    return member


async def removable_member(connection: AsyncConnection, actor: Actor, defaults: Roles, user_id: int) -> MemberEntry:
    """A member whom the actor may remove. Raises as `change_member_role`."""
    member = await _touchable(connection, actor, defaults, user_id)
    await keep_an_admin(connection, actor.tenant.id, member.user_id, member.email)
    return member


async def count_belongings(connection: AsyncConnection, tenant_id: int, user_id: int) -> dict[str, int]:
    """What a member has at the tenant that goes with the membership: rows by kind."""
    counts = {}
    for kind, table in _BELONGINGS.items():
        own = (table.c.tenant_id == tenant_id) & (table.c.user_id == user_id)
        counts[kind] = await connection.scalar(select(func.count()).select_from(table).where(own)) or 0
    return counts


async def remove_member(connection: AsyncConnection, actor: Actor, defaults: Roles, user_id: int) -> MemberEntry:
    """Delete a membership with its logins and tokens; the user stays. Gives who they were.

    Raises as `change_member_role`.
    """
    member = await removable_member(connection, actor, defaults, user_id)
    for table in (*_BELONGINGS.values(), memberships):
        own = (table.c.tenant_id == actor.tenant.id) & (table.c.user_id == user_id)
        await connection.execute(delete(table).where(own))
    return member


async def restore_member(
    connection: AsyncConnection, actor: Actor, defaults: Roles, snapshot: Mapping[str, Any]
) -> None:
    """Make a membership that was removed again, with its role if there still is one of that name, else as an agent.

    Raises NotAllowed when the role is above the actor's, Impossible when the user is gone, or a member again.
    """
    try:
        role = await find_role_to_give(connection, actor.tenant.id, snapshot["role"], defaults)
    except Unknown:
        role = await find_role(connection, actor.tenant.id, RoleName.AGENT, defaults)
    check_grantable(actor, role)
    system, role_id = role.stored
    try:
        async with connection.begin_nested():
            await connection.execute(
                insert(memberships).values(
                    tenant_id=actor.tenant.id,
                    user_id=snapshot["user_id"],
                    role=str(system),
                    role_id=role_id,
                    active=snapshot["active"],
                    created_at=datetime.fromisoformat(snapshot["joined_at"]),
                )
            )
    except IntegrityError:
        raise Impossible(f"{snapshot['email']} is a member again already, or no user any more.") from None


async def keep_an_admin(connection: AsyncConnection, tenant_id: int, leaving: int, email: str) -> None:
    """Raise LastAdmin when `leaving` is the only active super_admin. Waits for others who ask the same."""
    admins = (
        select(memberships.c.user_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(
            memberships.c.tenant_id == tenant_id,
            memberships.c.role == RoleName.SUPER_ADMIN,
            memberships.c.active,
            users.c.disabled_at.is_(None),
        )
        .order_by(memberships.c.user_id)
        .with_for_update(of=memberships)
    )
    if set(await connection.scalars(admins)) == {leaving}:
        raise LastAdmin(f"{email} is the last super_admin; make another one first.")


async def _touchable(connection: AsyncConnection, actor: Actor, defaults: Roles, user_id: int) -> MemberEntry:
    """A member whose role is not above the actor's, and who is not the actor."""
    if user_id == actor.user_id:
        raise Impossible("Somebody else has to do this to you.")
    member = await member_entry(connection, actor.tenant.id, user_id)
    check_grantable(actor, await find_role(connection, actor.tenant.id, member.role_key, defaults))
    return member


def _of(tenant_id: int, user_id: int) -> ColumnElement[bool]:
    return (memberships.c.tenant_id == tenant_id) & (memberships.c.user_id == user_id)


_BELONGINGS: Mapping[str, Table] = {"logins": login_sessions, "personal tokens": personal_tokens}
_INVITER = users.alias("inviter")
_ENTRIES = select(
    users.c.id,
    users.c.email,
    users.c.name,
    memberships.c.role,
    memberships.c.role_id,
    roles.c.name.label("own_role"),
    memberships.c.active,
    memberships.c.created_at,
    users.c.last_login_at,
    _INVITER.c.name.label("inviter"),
).select_from(
    memberships.join(users, users.c.id == memberships.c.user_id)
    .outerjoin(roles, (roles.c.tenant_id == memberships.c.tenant_id) & (roles.c.id == memberships.c.role_id))
    .outerjoin(_INVITER, _INVITER.c.id == memberships.c.invited_by)
)


def _entry(row: Any) -> MemberEntry:
    user_id, email, name, role, role_id, own_role, active, joined_at, last_login_at, inviter = tuple(row)
    shown = own_role or _system_name(role)
    key = str(role_id) if role_id is not None else shown
    return MemberEntry(user_id, email, name, shown, key, active, joined_at, last_login_at, inviter)


def _system_name(role: str) -> str:
    try:
        return str(RoleName(role))
    except ValueError:
        return role
