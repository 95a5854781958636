"""The first start: somebody who can log in, and a key that takes events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.passwords import hash_password, random_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.signup import FIRST_TENANT_LOCK
from chatnation.core.auth.tenancy import DEFAULT_TIMEZONE, create_project, create_tenant
from chatnation.core.auth.users import create_user

if TYPE_CHECKING:
    from chatnation.core.storage.storage import Storage


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What was made, to be shown to the operator once: password and key are kept nowhere."""

    tenant: str
    project: str
    email: str
    password: str
    write_key: str


async def bootstrap(
    storage: Storage,
    *,
    tenant: str = "My organisation",
    project: str = "Website",
    email: str = "admin@example.org",
    timezone: str = DEFAULT_TIMEZONE,
) -> FirstStart | None:
    """Make the first tenant, its project, its admin and a write key; None, and nothing is done, when a tenant exists.

    Any number of processes may call it at once.
    """
    password = random_password()
    password_hash: str | None = None
    while True:
        async with storage.system("is this the first start") as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FIRST_TENANT_LOCK})
            if await connection.scalar(text("SELECT EXISTS (SELECT FROM tenants)")):
                return None
            if password_hash is not None:
                made = await create_tenant(connection, tenant, timezone=timezone)
                source = await create_project(connection, made.id, project)
                await create_user(connection, made.id, email, "Administrator", RoleName.SUPER_ADMIN, password_hash)
                key = await create_key(connection, made.id, project, KeyType.WRITE, project_id=source.id)
                return FirstStart(made.slug, source.slug, email, password, key.secret)
        # Hashing is slow on purpose: not while others wait for the lock, and not at every start.
        password_hash = await hash_password(password)
