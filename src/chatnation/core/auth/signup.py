"""Signing up: a user, a tenant, and the membership that ties them, or nothing of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.refusals import NotAllowed
from chatnation.core.auth.tenancy import DEFAULT_TIMEZONE, create_tenant
from chatnation.core.auth.users import create_user
from chatnation.core.context import Tenant
from chatnation.core.settings import DeploymentMode

FIRST_TENANT_LOCK = 0x636E_0003
"""Advisory lock of whoever makes the first tenant, so that there is only one."""


@dataclass(frozen=True, slots=True)
class SignedUp:
    """Who signed up, and the tenant that is theirs."""

    user_id: int
    tenant: Tenant


async def may_sign_up(connection: AsyncConnection, mode: DeploymentMode) -> bool:
    """Whether a tenant can be made by signing up now."""
    if mode is DeploymentMode.SAAS:
        return True
    return not await connection.scalar(text("SELECT EXISTS (SELECT FROM tenants)"))


async def sign_up(
    connection: AsyncConnection,
    mode: DeploymentMode,
    *,
    email: str,
    name: str,
    organisation: str,
    password_hash: str,
    slug: str | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> SignedUp:
    """Make the tenant and its first super_admin, in the caller's transaction of the system door.

    Raises NotAllowed where nobody may sign up, NameTaken for an address or a handle that is taken, InvalidName.
    """
    if mode is DeploymentMode.WHITELABEL:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FIRST_TENANT_LOCK})
    if not await may_sign_up(connection, mode):
        raise NotAllowed("Nobody can sign up here; ask somebody of the organisation for an invitation.")
    tenant = await create_tenant(connection, organisation, slug=slug, timezone=timezone)
    user_id = await create_user(connection, tenant.id, email, name, RoleName.SUPER_ADMIN, password_hash)
    return SignedUp(user_id, tenant)
