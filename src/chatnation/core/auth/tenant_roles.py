"""The roles of a tenant: those of the code, as the tenant changed them, and those that it made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.names import InvalidName, checked_name
from chatnation.core.auth.permissions import RoleName, Roles
from chatnation.core.auth.refusals import Impossible, NotAllowed
from chatnation.core.auth.teams import TeamRole
from chatnation.core.auth.tenancy import NameTaken, Unknown
from chatnation.core.context import Actor
from chatnation.core.storage.models import invitations, memberships, roles

DESCRIPTIONS: Mapping[RoleName, str] = {
    RoleName.SUPER_ADMIN: "May do everything, also what cannot be undone.",
    RoleName.ADMIN: "Runs the organisation: people, settings, reports.",
    RoleName.DEVELOPER: "Connects sites and systems: projects, keys, plugins.",
    RoleName.AUDITOR: "Reads reports and records, changes nothing.",
    RoleName.AGENT: "Answers people.",
}
FALLBACK = RoleName.AGENT
"""What members are whose role is deleted: the role that may do least."""

_LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class TenantRole:
    """A role as a tenant has it.

    `key` names it in addresses and forms: a system role's name, or the id of one that the tenant made. `system` is None
    for the latter; `changed` tells that the tenant has a version of its own of a system role.
    """

    key: str
    name: str
    description: str
    permissions: frozenset[str]
    system: RoleName | None
    role_id: int | None
    changed: bool
    members: int

    @property
    def stored(self) -> tuple[RoleName, int | None]:
        """What memberships and invitations keep of it: `role` and `role_id`."""
        return (self.system, None) if self.system else (FALLBACK, self.role_id)


async def list_roles(connection: AsyncConnection, tenant_id: int, defaults: Roles) -> list[TenantRole]:
    """Every role of the tenant, the system's first."""
    rows = list((await connection.execute(_ROLES.where(roles.c.tenant_id == tenant_id))).mappings())
    counted = await connection.execute(_MEMBERS.where(memberships.c.tenant_id == tenant_id))
    members: dict[tuple[str, int | None], int] = {(role, role_id): count for role, role_id, count in counted}
    changed = {row["overrides"]: row for row in rows if row["overrides"]}
    system = [_system(name, changed.get(name), defaults, members.get((name, None), 0)) for name in RoleName]
    own = [
        TenantRole(
            key=str(row["id"]),
            name=row["name"],
            description=row["description"],
            permissions=defaults.known.intersection(row["permissions"]),
            system=None,
            role_id=row["id"],
            changed=False,
            members=members.get((FALLBACK, row["id"]), 0),
        )
        for row in rows
        if not row["overrides"]
    ]
    return system + own


async def find_role(connection: AsyncConnection, tenant_id: int, wanted: str, defaults: Roles) -> TenantRole:
    """The tenant's role of that key or name; spellings of other systems are understood. Raises Unknown."""
    found = await list_roles(connection, tenant_id, defaults)
    for role in found:
        if wanted == role.key:
            return role
    name = wanted.strip().lower()
    for role in found:
        if name == role.name.lower():
            return role
    try:
        return next(role for role in found if role.system is RoleName(wanted))
    except ValueError:
        pass
    if name == TeamRole.MANAGER:
        raise Unknown("manager is a role within a team; choose one for the organisation.")
    raise Unknown("There is no such role.")


async def find_role_to_give(connection: AsyncConnection, tenant_id: int, wanted: str, defaults: Roles) -> TenantRole:
    """As `find_role`; nobody deletes the role before the transaction ends."""
    role = await find_role(connection, tenant_id, wanted, defaults)
    if role.role_id is not None:
        it = (roles.c.tenant_id == tenant_id) & (roles.c.id == role.role_id)
        kept = await connection.scalar(select(roles.c.id).where(it).with_for_update(read=True, key_share=True))
        if kept is None:
            raise Unknown("There is no such role any more.")
    return role


async def create_role(
    connection: AsyncConnection,
    actor: Actor,
    defaults: Roles,
    *,
    name: str,
    description: str = "",
    permissions: Collection[str],
) -> TenantRole:
    """Make a role of the actor's tenant. Raises NameTaken, InvalidName, Unknown for a permission, NotAllowed."""
    values = {
        "tenant_id": actor.tenant.id,
        "name": _free_name(name),
        "description": _description(description),
        "permissions": sorted(_grantable(actor, permissions, defaults)),
    }
    try:
        async with connection.begin_nested():
            role_id = await connection.scalar(insert(roles).values(values).returning(roles.c.id))
    except IntegrityError:
        raise NameTaken(f"There is a role {values['name']} already.") from None
    return await find_role(connection, actor.tenant.id, str(role_id), defaults)


async def change_role(
    connection: AsyncConnection,
    actor: Actor,
    defaults: Roles,
    role: TenantRole,
    *,
    name: str | None = None,
    description: str | None = None,
    permissions: Collection[str] | None = None,
) -> TenantRole:
    """Change what is given; members follow at once. Of a system role, the tenant gets a version of its own.

    Raises NameTaken, InvalidName, Unknown, NotAllowed, Impossible for what system roles do not allow.
    """
    check_touchable(actor, role)
    values: dict[str, Any] = {}
    if permissions is not None:
        values["permissions"] = sorted(_grantable(actor, permissions, defaults))
    if description is not None:
        values["description"] = _description(description)
    if role.system:
        if name is not None and name.strip().lower() != role.name:
            raise Impossible("A system role keeps its name; make a role of your own instead.")
        await _copy_on_write(connection, actor.tenant.id, role, values)
        return await find_role(connection, actor.tenant.id, role.key, defaults)
    if name is not None:
        values["name"] = _free_name(name)
    if values:
        own = (roles.c.tenant_id == actor.tenant.id) & (roles.c.id == role.role_id)
        try:
            async with connection.begin_nested():
                await connection.execute(update(roles).where(own).values(values))
        except IntegrityError:
            raise NameTaken(f"There is a role {values['name']} already.") from None
    return await find_role(connection, actor.tenant.id, role.key, defaults)


async def delete_role(connection: AsyncConnection, actor: Actor, role: TenantRole) -> int:
    """Delete a role that the tenant made, or its version of a system role; gives how many members that concerned.

    Members of the former are agents from now on, those of the latter have what the code says. Raises Impossible,
    NotAllowed.
    """
    check_touchable(actor, role)
    if role.system and not role.changed:
        raise Impossible("System roles stay; this one is as it was delivered.")
    of_tenant = roles.c.tenant_id == actor.tenant.id
    if role.system:
        await connection.execute(delete(roles).where(of_tenant, roles.c.overrides == role.system))
        return role.members
    # First, so that whoever is giving the role is waited for, and is among its holders.
    await connection.execute(select(roles.c.id).where(of_tenant, roles.c.id == role.role_id).with_for_update())
    for table in (memberships, invitations):
        holders = (table.c.tenant_id == actor.tenant.id) & (table.c.role_id == role.role_id)
        await connection.execute(update(table).where(holders).values(role=FALLBACK, role_id=None))
    await connection.execute(delete(roles).where(of_tenant, roles.c.id == role.role_id))
    return role.members


def check_grantable(actor: Actor, role: TenantRole) -> None:
    """Raise NotAllowed when `role` may do more than the actor: nobody gives what they do not have."""
    if role.system is RoleName.SUPER_ADMIN and actor.role != RoleName.SUPER_ADMIN:
        raise NotAllowed("Only a super_admin makes somebody a super_admin, or anything else again.")
    if not role.permissions <= actor.permissions:
        raise NotAllowed(f"The role {role.name} may do more than you may.")


def check_touchable(actor: Actor, role: TenantRole) -> None:
    """Raise Impossible or NotAllowed unless the actor may change or delete `role`."""
    if role.system is RoleName.SUPER_ADMIN:
        raise Impossible("A super_admin may do everything; that cannot be changed.")
    if role.name == actor.role:
        raise Impossible("This is your own role; somebody else has to change it.")
    check_grantable(actor, role)


def _grantable(actor: Actor, permissions: Collection[str], defaults: Roles) -> frozenset[str]:
    wanted = frozenset(permissions)
    if strangers := wanted - defaults.known:
        raise Unknown(f"There is no permission {', '.join(sorted(strangers))}.")
    if above := wanted - actor.permissions:
        raise NotAllowed(f"You do not hold {', '.join(sorted(above))} yourself.")
    return wanted


def _free_name(text: str) -> str:
    name = checked_name(text)
    taken = name.lower() in {*TeamRole, "owner"} or name.isdigit()
    try:
        RoleName(name)
    except ValueError:
        if not taken:
            return name
    raise InvalidName(f"“{name}” cannot be the name of a role of your own.")


def _description(text: str) -> str:
    description = " ".join(text.split())
    if len(description) > _LONGEST_DESCRIPTION or not description.isprintable():
        raise InvalidName(f"A description is plain text of at most {_LONGEST_DESCRIPTION} characters.")
    return description


async def _copy_on_write(
    connection: AsyncConnection, tenant_id: int, role: TenantRole, values: Mapping[str, Any]
) -> None:
    assert role.system is not None
    copy = {"description": role.description, "permissions": sorted(role.permissions), **values}
    if role.changed:
        own = (roles.c.tenant_id == tenant_id) & (roles.c.overrides == role.system)
        await connection.execute(update(roles).where(own).values(copy))
    else:
        await connection.execute(
            insert(roles).values(tenant_id=tenant_id, name=role.name, overrides=str(role.system), **copy)
        )


def _system(name: RoleName, changed: Any, defaults: Roles, members: int) -> TenantRole:
    held = defaults.permissions(name) if changed is None else defaults.known.intersection(changed["permissions"])
    return TenantRole(
        key=str(name),
        name=str(name),
        description=DESCRIPTIONS[name] if changed is None else changed["description"],
        permissions=held,
        system=name,
        role_id=None,
        changed=changed is not None,
        members=members,
    )


_ROLES = select(roles).order_by(func.lower(roles.c.name))
_MEMBERS = (
    select(memberships.c.role, memberships.c.role_id, func.count())
    .where(memberships.c.active)
    .group_by(memberships.c.role, memberships.c.role_id)
)
