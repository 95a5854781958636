"""Roles for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation.core.auth.tenant_roles import TenantRole
from chatnation.core.web.routing import Route
from chatnation.core.web.settings.roles import TenantRoles

if TYPE_CHECKING:
    from chatnation.core.app import App

READ, DELETE = "settings.manage", "roles.delete"


class RoleDetails(BaseModel):
    """A role, and what it may do."""

    key: str = Field(description="Names the role in requests: a system role's name, or the id of another.")
    name: str
    description: str
    permissions: list[str]
    system: bool = Field(description="Whether every tenant has it.")
    changed: bool = Field(description="Whether the tenant has a version of its own of this system role.")
    members: int = Field(description="Active members that have it.")


class RoleList(BaseModel):
    """Every role of the tenant, the system's first."""

    roles: list[RoleDetails]


class PermissionDetails(BaseModel):
    """Something that a role may be given."""

    name: str
    description: str
    group: str = Field(description="Title of the part of the product that asks for it.")


class PermissionList(BaseModel):
    """Everything that a role may be given, as the plugins of this instance declare it."""

    permissions: list[PermissionDetails]


class NewRole(BaseModel):
    """A role of the tenant's own."""

    name: str = Field(max_length=200)
    description: str = Field("", max_length=1000)
    permissions: list[str] = Field([], max_length=1000)


class RoleUpdate(BaseModel):
    """What changes; the rest stays."""

    name: str | None = Field(None, max_length=200)
    description: str | None = Field(None, max_length=1000)
    permissions: list[str] | None = Field(None, max_length=1000)


class RoleRoutes:
    """`/api/settings/roles`."""

    def __init__(self, app: App) -> None:
        self._roles = TenantRoles(app)

    def routes(self) -> list[Route]:
        base = "/settings/roles"
        return [
            Route("GET", base, self.list, READ, response=RoleList),
            Route("POST", base, self.create, READ, body=NewRole, response=RoleDetails, status=201),
            Route("GET", f"{base}/permissions", self.permissions, READ, response=PermissionList),
            Route("PUT", f"{base}/{{role}}", self.change, READ, body=RoleUpdate, response=RoleDetails),
            Route("DELETE", f"{base}/{{role}}", self.delete, DELETE, status=204),
        ]

    async def list(self, request: Request) -> RoleList:
        """Every role of the tenant, with what it may do and how many have it."""
        return RoleList(roles=[_details(role) for role in await self._roles.list(request.state.actor)])

    async def permissions(self, request: Request) -> PermissionList:
        """Everything that a role may be given."""
        return PermissionList(
            permissions=[
                PermissionDetails(name=permission.name, description=permission.description, group=title)
                for title, permissions in self._roles.permissions()
                for permission in permissions
            ]
        )

    async def create(self, request: Request, body: NewRole) -> RoleDetails:
        """Make a role with permissions that you hold yourself."""
        return _details(await self._roles.create(request, body.name, body.description, body.permissions))

    async def change(self, request: Request, body: RoleUpdate) -> RoleDetails:
        """Change a role; of a system role, the tenant gets a version of its own. Members follow at once."""
        changed = await self._roles.change(
            request,
            request.path_params["role"],
            name=body.name,
            description=body.description,
            permissions=body.permissions,
        )
        return _details(changed)

    async def delete(self, request: Request) -> None:
        """Delete a role: its members are agents again. Of a system role, delete the tenant's version of it."""
        await self._roles.delete(request, request.path_params["role"])


def _details(role: TenantRole) -> RoleDetails:
    return RoleDetails(
        key=role.key,
        name=role.name,
        description=role.description,
        permissions=sorted(role.permissions),
        system=role.system is not None,
        changed=role.changed,
        members=role.members,
    )
