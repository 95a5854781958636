"""The role that a tenant's transactions run as.

The role that logs in owns the tables, and row-level security does not bind owners. So it has a second one beside it,
named after it, that owns nothing and cannot log in; the tenant door takes it on with its first statement.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import ChatnationError

TENANT_ROLE = "session_user || '_tenant'"
"""An SQL expression: the name of the role that belongs to whoever is logged in."""

_STATE = text(
    f"""
    SELECT session_user::text AS owner, {TENANT_ROLE} AS name, r.oid IS NOT NULL AS made,
           coalesce(r.rolsuper OR r.rolbypassrls, false) AS mighty,
           coalesce(pg_has_role(session_user, r.oid, CASE
               WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER'
           END), false) AS ours
      FROM (VALUES (true)) AS always
      LEFT JOIN pg_roles r ON r.rolname = {TENANT_ROLE}
    """
)


class NoTenantRole(ChatnationError):
    """The role of tenants cannot be used. The text holds what an administrator of the database has to run."""


@dataclass(frozen=True, slots=True)
class TenantRole:
    """The role `name` of those logged in as `owner`. `mighty`: above row-level security. `ours`: may be taken on."""

    owner: str
    name: str
    made: bool
    mighty: bool
    ours: bool

    @property
    def quoted(self) -> str:
        return _quoted(self.name)

    @property
    def lacking(self) -> list[str]:
        """The statements that make it what it has to be; none if it is."""
        statements = []
        if not self.made:
            statements.append(f"CREATE ROLE {self.quoted} NOLOGIN")
        if self.mighty:
            statements.append(f"ALTER ROLE {self.quoted} NOSUPERUSER NOBYPASSRLS")
        if not self.made or not self.ours:
            statements.append(f"GRANT {self.quoted} TO {_quoted(self.owner)}")
        return statements

    def check(self) -> None:
        """Raise NoTenantRole unless transactions of tenants can run as it."""
        if self.lacking:
            raise NoTenantRole(
                f"Transactions of tenants run as the database role {self.name}, which {self.owner} lacks and may not "
                f"make. Let an administrator of the database run: {'; '.join(self.lacking)};"
            )


async def look_up(connection: AsyncConnection) -> TenantRole:
    """The role as it is, or as it would be."""
    return TenantRole(*(await connection.execute(_STATE)).one())


async def provide(connection: AsyncConnection) -> TenantRole:
    """The role, made if it is missing. Raises NoTenantRole when it is and may not be made."""
    role = await look_up(connection)
    if role.lacking:
        try:
            async with connection.begin_nested():
                for statement in role.lacking:
                    await connection.execute(text(statement))
        except DBAPIError:
            # Not allowed, or somebody else was faster: roles belong to all databases of a server.
            pass
        role = await look_up(connection)
        role.check()
    return role


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
