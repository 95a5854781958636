"""What members may do: their role, as their tenant has it, and their roles in teams; kept in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.teams import TeamRoles
from chatnation.core.auth.tenant_choice import TenantOfUser, tenants_of_user
from chatnation.core.context import Actor, Tenant
from chatnation.core.storage.models import memberships, roles, tenants, users
from chatnation.core.storage.storage import after_commit

if TYPE_CHECKING:
    from chatnation.core.auth.permissions import Roles
    from chatnation.core.plugin.services import Services
    from chatnation.core.storage.storage import Storage

CACHE = "access"
"""Our row in `cache_versions`; triggers raise it when memberships, roles, users or tenants change."""

_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Standing:
    """An active member of an active tenant.

    `role` is what people call it; `permissions` hold in the whole tenant, `team_permissions` in the team they are
    under. `tenant_settings` are the tenant's, a JSON object.
    """

    tenant: Tenant
    user_id: int
    name: str
    email: str
    role: str
    permissions: frozenset[str]
    team_permissions: Mapping[str, frozenset[str]]
    tenant_settings: Mapping[str, Any]

    def actor(self) -> Actor:
        """The member as somebody who was let in."""
        return Actor(
            tenant=self.tenant,
            permissions=self.permissions,
            team_permissions=self.team_permissions,
            user_id=self.user_id,
            name=self.name,
            email=self.email,
            role=self.role,
        )


class Standings:
    """Looks standings up once, and again after anything changed that they are made of.

    Processes notice each other's changes within a second; this one at once, if whoever makes the change calls
    `forget_after`.
    """

    def __init__(self, storage: Storage, defaults: Roles, services: Services) -> None:
        self.defaults = defaults
        self._storage = storage
        self._services = services
        self._standings: dict[tuple[int, int], Standing | None] = {}
        self._choices: dict[int, list[TenantOfUser]] = {}
        self._changes = 0

    async def of(self, tenant_id: int, user_id: int) -> Standing | None:
        """The user's standing at the tenant; None for who is no active member there, or whose tenant is not active."""
        key = tenant_id, user_id
        if key in self._standings:
            return self._standings[key]
        changes = self._changes
        async with self._storage.system("what a user may do at a tenant") as connection:
            standing = await self.read(connection, tenant_id, user_id)
        if changes == self._changes:
            if len(self._standings) >= _MOST:
                self._standings.clear()
            self._standings[key] = standing
        return standing

    async def choices(self, user_id: int) -> list[TenantOfUser]:
        """The tenants that the user may choose from, by name."""
        if user_id in self._choices:
            return self._choices[user_id]
        changes = self._changes
        async with self._storage.system("the tenants of a user") as connection:
            found = await tenants_of_user(connection, user_id)
        if changes == self._changes:
            if len(self._choices) >= _MOST:
                self._choices.clear()
            self._choices[user_id] = found
        return found

    async def read(self, connection: AsyncConnection, tenant_id: int, user_id: int) -> Standing | None:
        """As `of`, but as the transaction of `connection` sees it."""
        row = (await connection.execute(_MEMBER, {"tenant_id": tenant_id, "user_id": user_id})).one_or_none()
        if row is None:
            return None
        return Standing(
            tenant=Tenant(tenant_id, row.slug, row.tenant_name, row.timezone),
            user_id=user_id,
            name=row.name,
            email=row.email,
            role=row.own_role or row.role,
            permissions=self._permissions(row),
            team_permissions=await self._team_permissions(connection, tenant_id, user_id),
            tenant_settings=row.settings,
        )

    async def forget(self) -> None:
        """Look everything up again."""
        self._changes += 1
        self._standings.clear()
        self._choices.clear()

    def forget_after(self, connection: AsyncConnection) -> None:
        """Have this process look everything up again as soon as the transaction of `connection` has committed."""
        after_commit(connection, self.forget)

    def _permissions(self, row: Any) -> frozenset[str]:
        """A role of the tenant's own before its version of a system role, and that before the code's."""
        stored = row.own_permissions if row.own_role is not None else row.changed_permissions
        if stored is None:
            return self.defaults.permissions(row.role)
        return self.defaults.known.intersection(stored)

    async def _team_permissions(
        self, connection: AsyncConnection, tenant_id: int, user_id: int
    ) -> Mapping[str, frozenset[str]]:
        teams = self._services.find(TeamRoles)
        if teams is None:
            return {}
        held = await teams.roles_of(connection, tenant_id, user_id)
        return {team: self.defaults.team_permissions(role) for team, role in held.items()}


_OWN = roles.alias("own")
_CHANGED = roles.alias("changed")
_MEMBER = (
    select(
        users.c.name,
        users.c.email,
        memberships.c.role,
        tenants.c.slug,
        tenants.c.name.label("tenant_name"),
        tenants.c.timezone,
        tenants.c.settings,
        _OWN.c.name.label("own_role"),
        _OWN.c.permissions.label("own_permissions"),
        _CHANGED.c.permissions.label("changed_permissions"),
    )
    .select_from(
        memberships.join(users, users.c.id == memberships.c.user_id)
        .join(tenants, tenants.c.id == memberships.c.tenant_id)
        .outerjoin(_OWN, (_OWN.c.tenant_id == memberships.c.tenant_id) & (_OWN.c.id == memberships.c.role_id))
        .outerjoin(
            _CHANGED, (_CHANGED.c.tenant_id == memberships.c.tenant_id) & (_CHANGED.c.overrides == memberships.c.role)
        )
    )
    .where(
        memberships.c.tenant_id == bindparam("tenant_id"),
        memberships.c.user_id == bindparam("user_id"),
        memberships.c.active,
        tenants.c.active,
        users.c.disabled_at.is_(None),
    )
)
