"""Projects for programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from chatnation.core.auth.tenancy import IpMode, MaskingRule
from chatnation.core.web.routing import Route
from chatnation.core.web.settings.projects import TenantProjects

if TYPE_CHECKING:
    from chatnation.core.app import App

PERMISSION = "settings.manage"


class ProjectDetails(BaseModel):
    """A source of events."""

    model_config = ConfigDict(from_attributes=True)

    slug: str = Field(description="Handle; it never changes.")
    name: str
    allowed_origins: list[str]
    ip_mode: IpMode
    masking: dict[str, MaskingRule]
    created_at: datetime


class ProjectList(BaseModel):
    """The projects of the tenant, by handle."""

    projects: list[ProjectDetails]


class NewProject(BaseModel):
    """A project to be made."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=100)
    allowed_origins: list[str] = Field(["*"], min_length=1, max_length=200)
    ip_mode: IpMode = IpMode.MASK


class ProjectUpdate(BaseModel):
    """What changes; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=100)
    allowed_origins: list[str] | None = Field(None, min_length=1, max_length=200, description="Replaces the list.")
    ip_mode: IpMode | None = None
    masking: dict[str, MaskingRule | None] | None = Field(
        None, max_length=500, description="Rules by property, added to those there are; null takes one away."
    )


class ProjectRoutes:
    """`/api/settings/projects`."""

    def __init__(self, app: App) -> None:
        self._projects = TenantProjects(app)

    def routes(self) -> list[Route]:
        base = "/settings/projects"
        one = f"{base}/{{project}}"
        return [
            Route("GET", base, self.list, PERMISSION, response=ProjectList),
            Route("POST", base, self.create, PERMISSION, body=NewProject, response=ProjectDetails, status=201),
            Route("GET", one, self.find, PERMISSION, response=ProjectDetails),
            Route("PATCH", one, self.change, PERMISSION, body=ProjectUpdate, response=ProjectDetails),
        ]

    async def list(self, request: Request) -> dict[str, object]:
        """Every project of the tenant."""
        return {"projects": await self._projects.list(request.state.actor)}

    async def find(self, request: Request) -> object:
        """One project."""
        return await self._projects.find(request.state.actor, request.path_params["project"])

    async def create(self, request: Request, body: NewProject) -> object:
        """Make a project. It needs a key next."""
        return await self._projects.create(request, body.name, body.allowed_origins, body.ip_mode)

    async def change(self, request: Request, body: ProjectUpdate) -> object:
        """Change a project; collectors follow within a second."""
        return await self._projects.change(
            request,
            request.path_params["project"],
            name=body.name,
            origins=body.allowed_origins,
            ip_mode=body.ip_mode,
            masking=body.masking,
        )
