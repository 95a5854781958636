"""Projects of a tenant: what is done to them, with its records, for pages and routes alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth import tenancy
from chatnation.core.auth.tenancy import IpMode, MaskingRule, Project
from chatnation.core.web.audited import record_of

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor


class TenantProjects:
    """The projects of the tenant of whoever sends a request. Raises NameTaken, InvalidName, Unknown."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def list(self, actor: Actor) -> list[Project]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await tenancy.list_projects(connection, actor.tenant.id)

    async def find(self, actor: Actor, slug: str) -> Project:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await tenancy.find_project(connection, actor.tenant.id, slug)

    async def create(self, request: Request, name: str, origins: Sequence[str], ip_mode: IpMode) -> Project:
        actor: Actor = request.state.actor
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            made = await tenancy.create_project(
                connection, actor.tenant.id, name, allowed_origins=origins or ("*",), ip_mode=ip_mode
            )
            await self._record(connection, request, "created", made, **_facts(made))
        return made

    async def change(
        self,
        request: Request,
        slug: str,
        *,
        name: str | None = None,
        origins: Sequence[str] | None = None,
        ip_mode: IpMode | None = None,
        masking: Mapping[str, MaskingRule | None] | None = None,
        replace_masking: bool = False,
    ) -> Project:
        """Change what is given. With `replace_masking` a rule that is not given goes."""
        actor: Actor = request.state.actor
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            before = await tenancy.find_project(connection, actor.tenant.id, slug)
            if masking is not None and replace_masking:
                masking = {**dict.fromkeys(before.masking), **masking}
            after = await tenancy.change_project(
                connection, before, name=name, allowed_origins=origins, ip_mode=ip_mode, masking=masking
            )
            was, now = _facts(before), _facts(after)
            changed = {fact: {"from": was[fact], "to": now[fact]} for fact in was if was[fact] != now[fact]}
            if changed:
                await self._record(connection, request, "updated", after, changed=changed)
        return after

    async def _record(
        self, connection: AsyncConnection, request: Request, verb: str, project: Project, **details: Any
    ) -> None:
        record = record_of(request, f"config.project.{verb}", "project", project.slug, **details)
        await audit_of(self._app).record(connection, record)


def _facts(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "allowed_origins": list(project.allowed_origins),
        "ip_mode": str(project.ip_mode),
        "masking": {name: str(rule) for name, rule in project.masking.items()},
    }
