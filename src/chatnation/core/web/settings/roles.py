"""Roles of a tenant: what is done to them, with its records, for pages and routes alike."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth import tenant_roles
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.tenant_roles import TenantRole, find_role, list_roles
from chatnation.core.plugin.boundary import CORE
from chatnation.core.web.audited import record_of
from chatnation.core.web.routing import Permission

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor


class TenantRoles:
    """The roles of the tenant of whoever sends a request. Everything raises what `core.auth.refusals` names."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._standings = app.services.get(Standings)

    def permissions(self) -> list[tuple[str, list[Permission]]]:
        """Everything that a role may be given, under the title of the plugin that asks for it."""
        records = {record.name: record for record in self._app.inventory}
        groups: dict[str, list[Permission]] = {}
        for entry in self._standings.defaults.registered:
            known = records.get(entry.plugin)
            cls = known.plugin_class if known else None
            title = "Organisation" if entry.plugin == CORE or cls is None else cls.title()
            groups.setdefault(title, []).append(entry.item)
        return list(groups.items())

    async def list(self, actor: Actor) -> list[TenantRole]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await list_roles(connection, actor.tenant.id, self._standings.defaults)

    async def find(self, actor: Actor, key: str) -> TenantRole:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await find_role(connection, actor.tenant.id, key, self._standings.defaults)

    async def create(self, request: Request, name: str, description: str, permissions: Collection[str]) -> TenantRole:
        actor: Actor = request.state.actor
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            made = await tenant_roles.create_role(
                connection,
                actor,
                self._standings.defaults,
                name=name,
                description=description,
                permissions=permissions,
            )
            await self._record(connection, request, "created", made, permissions=sorted(made.permissions))
        return made

    async def change(
        self,
        request: Request,
        key: str,
        *,
        name: str | None = None,
        description: str | None = None,
        permissions: Collection[str] | None = None,
    ) -> TenantRole:
        """Change what is given; a system role becomes a version of the tenant's own."""
        actor: Actor = request.state.actor
        defaults = self._standings.defaults
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            before = await find_role(connection, actor.tenant.id, key, defaults)
            after = await tenant_roles.change_role(
                connection, actor, defaults, before, name=name, description=description, permissions=permissions
            )
            await self._record(
                connection,
                request,
                "updated",
                after,
                was=before.name,
                added=sorted(after.permissions - before.permissions),
                removed=sorted(before.permissions - after.permissions),
            )
        return after

    async def delete(self, request: Request, key: str) -> TenantRole:
        """Delete a role that the tenant made, or its version of a system role; gives what it was."""
        actor: Actor = request.state.actor
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            role = await find_role(connection, actor.tenant.id, key, self._standings.defaults)
            members = await tenant_roles.delete_role(connection, actor, role)
            await self._record(connection, request, "deleted", role, members=members)
        return role

    async def _record(
        self, connection: AsyncConnection, request: Request, verb: str, role: TenantRole, **details: Any
    ) -> None:
        self._standings.forget_after(connection)
        record = record_of(request, f"config.role.{verb}", "role", role.key, name=role.name, **details)
        await audit_of(self._app).record(connection, record)
