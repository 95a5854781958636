"""The tenants of a user, and which of them a login is at."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.tenancy import Unknown
from chatnation.core.storage.models import memberships, roles, tenants, users


@dataclass(frozen=True, slots=True)
class TenantOfUser:
    """A tenant that the user may be at, and what they are there."""

    id: int
    slug: str
    name: str
    role: str


async def tenants_of_user(connection: AsyncConnection, user_id: int) -> list[TenantOfUser]:
    """The active tenants that the user is an active member of, by name."""
    query = (
        select(tenants.c.id, tenants.c.slug, tenants.c.name, func.coalesce(roles.c.name, memberships.c.role))
        .select_from(
            memberships.join(tenants, tenants.c.id == memberships.c.tenant_id)
            .join(users, users.c.id == memberships.c.user_id)
            .outerjoin(roles, (roles.c.tenant_id == memberships.c.tenant_id) & (roles.c.id == memberships.c.role_id))
        )
        .where(memberships.c.user_id == user_id, memberships.c.active, tenants.c.active, users.c.disabled_at.is_(None))
        .order_by(func.lower(tenants.c.name), tenants.c.id)
    )
    return [TenantOfUser(*row) for row in await connection.execute(query)]


async def tenant_of_user(connection: AsyncConnection, user_id: int, slug: str) -> TenantOfUser:
    """The tenant of that handle, if the user may be there. Raises Unknown, whether it exists or not."""
    for tenant in await tenants_of_user(connection, user_id):
        if tenant.slug == slug:
            return tenant
    raise Unknown("There is no such organisation, or you are no active member of it.")
