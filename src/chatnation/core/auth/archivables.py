"""Roles and members as things that can be archived."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.archivables import Archivable, Choice, Doomed
from chatnation.core.auth import members, tenant_roles
from chatnation.core.auth.events import MemberDeactivated, MemberReactivated
from chatnation.core.auth.refusals import Impossible
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.storage.models import memberships

if TYPE_CHECKING:
    from chatnation.core.auth.effective import Standings
    from chatnation.core.context import Actor
    from chatnation.core.signals import Signals

FindStandings = Callable[[], "Standings"]


class ArchivableRoles:
    """Roles that a tenant made. System roles stay."""

    def __init__(self, standings: FindStandings) -> None:
        self._standings = standings

    def archivable(self) -> Archivable:
        return Archivable(
            entity="role",
            label="Role",
            permission="roles.delete",
            consequences="Its members become agents.",
            choices=self._choices,
            examine=self._examine,
            delete=self._delete,
            restore=self._restore,
        )

    async def _choices(self, connection: AsyncConnection, actor: Actor) -> Sequence[Choice]:
        found = await tenant_roles.list_roles(connection, actor.tenant.id, self._standings().defaults)
        return [Choice(role.key, role.name, f"{role.members} members") for role in found if not role.system]

    async def _examine(self, connection: AsyncConnection, actor: Actor, key: str) -> Doomed:
        role = await tenant_roles.find_role(connection, actor.tenant.id, key, self._standings().defaults)
        if role.system:
            raise Impossible("System roles stay.")
        tenant_roles.check_touchable(actor, role)
        of_role = (memberships.c.tenant_id == actor.tenant.id) & (memberships.c.role_id == role.role_id)
        holders = sorted(await connection.scalars(select(memberships.c.user_id).where(of_role)))
        return Doomed(
            key=role.key,
            name=role.name,
            counts={"members who become agents": len(holders)},
            snapshot={
                "name": role.name,
                "description": role.description,
                "permissions": sorted(role.permissions),
                "members": holders,
            },
        )

    async def _delete(self, connection: AsyncConnection, actor: Actor, doomed: Doomed) -> None:
        defaults = self._standings().defaults
        role = await tenant_roles.find_role(connection, actor.tenant.id, doomed.key, defaults)
        await tenant_roles.delete_role(connection, actor, role)
        self._standings().forget_after(connection)

    async def _restore(self, connection: AsyncConnection, actor: Actor, snapshot: Mapping[str, Any]) -> str:
        """With the permissions that exist still, for those of its members who have been agents since."""
        defaults = self._standings().defaults
        made = await tenant_roles.create_role(
            connection,
            actor,
            defaults,
            name=snapshot["name"],
            description=snapshot["description"],
            permissions=defaults.known.intersection(snapshot["permissions"]),
        )
        agents = (
            (memberships.c.tenant_id == actor.tenant.id)
            & memberships.c.user_id.in_(snapshot["members"])
            & (memberships.c.role == tenant_roles.FALLBACK)
            & memberships.c.role_id.is_(None)
        )
        await connection.execute(update(memberships).where(agents).values(role_id=made.role_id))
        self._standings().forget_after(connection)
        return made.name


class ArchivableMembers:
    """Memberships. The user stays, because they may belong to other tenants."""

    def __init__(self, standings: FindStandings, signals: Callable[[], Signals]) -> None:
        self._standings = standings
        self._signals = signals

    def archivable(self) -> Archivable:
        return Archivable(
            entity="user",
            label="Member",
            permission="users.delete",
            consequences="They lose access at once, and their tokens and logins here. The user stays, for other "
            "organisations.",
            choices=self._choices,
            examine=self._examine,
            delete=self._delete,
            restore=self._restore,
        )

    async def _choices(self, connection: AsyncConnection, actor: Actor) -> Sequence[Choice]:
        found = await members.list_member_entries(connection, actor.tenant.id)
        return [
            Choice(str(member.user_id), member.email, f"{member.name}, {member.role.replace('_', ' ')}")
            for member in found
            if member.user_id != actor.user_id
        ]

    async def _examine(self, connection: AsyncConnection, actor: Actor, key: str) -> Doomed:
        if not key.isdecimal() or int(key) > 2**31 - 1:
            raise Unknown("There is no such member.")
        member = await members.removable_member(connection, actor, self._standings().defaults, int(key))
        counts = await members.count_belongings(connection, actor.tenant.id, member.user_id)
        return Doomed(
            key=str(member.user_id),
            name=member.email,
            counts=counts,
            snapshot={
                "user_id": member.user_id,
                "email": member.email,
                "name": member.name,
                "role": member.role,
                "active": member.active,
                "joined_at": member.joined_at.isoformat(),
            },
        )

    async def _delete(self, connection: AsyncConnection, actor: Actor, doomed: Doomed) -> None:
        user_id = int(doomed.key)
        await members.remove_member(connection, actor, self._standings().defaults, user_id)
        self._signals().publish(connection, MemberDeactivated(actor.tenant.id, user_id))
        self._standings().forget_after(connection)

    async def _restore(self, connection: AsyncConnection, actor: Actor, snapshot: Mapping[str, Any]) -> str:
        await members.restore_member(connection, actor, self._standings().defaults, snapshot)
        if snapshot["active"]:
            self._signals().publish(connection, MemberReactivated(actor.tenant.id, snapshot["user_id"]))
        self._standings().forget_after(connection)
        return str(snapshot["email"])
