"""`/api/tenants/current`: the organisation for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from chatnation.core.auth.organisation import KEYS, Organisation
from chatnation.core.auth.organisation_settings import OrganisationSettings
from chatnation.core.web.routing import LIMITED, Route
from chatnation.core.web.settings.organisation import TenantItself

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

PERMISSION = "settings.manage"


class OrganisationDetails(BaseModel):
    """The organisation that one is at."""

    slug: str = Field(description="Handle, also in addresses.")
    name: str
    role: str = Field(description="What one is there.")
    current: bool = Field(True, description="Whether one is there now.")
    timezone: str
    settings: dict[str, Any] = Field(description="What was set, as for PATCH; what is absent has its default.")


class OrganisationUpdate(BaseModel):
    """What changes; the rest stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=100)
    settings: OrganisationSettings | None = Field(None, description="Merged at every depth; null takes a key away.")


class OrganisationRoutes:
    """Reads and changes the organisation."""

    def __init__(self, app: App) -> None:
        self._organisation = TenantItself(app)

    def routes(self) -> list[Route]:
        path = "/tenants/current"
        return [
            Route("GET", path, self.find, LIMITED, response=OrganisationDetails),
            Route("PATCH", path, self.change, PERMISSION, body=OrganisationUpdate, response=OrganisationDetails),
        ]

    async def find(self, request: Request) -> OrganisationDetails:
        """The organisation that you are at, and what it has set."""
        actor: Actor = request.state.actor
        return _details(actor, await self._organisation.find(actor))

    async def change(self, request: Request, body: OrganisationUpdate) -> OrganisationDetails:
        """Change name and settings; every page follows at once."""
        patch = body.settings.model_dump(by_alias=True, exclude_unset=True) if body.settings else None
        changed = await self._organisation.change(request, name=body.name, patch=patch)
        return _details(request.state.actor, changed)


def _details(actor: Actor, organisation: Organisation) -> OrganisationDetails:
    settings = {key: value for key, value in organisation.settings.items() if key in KEYS}
    return OrganisationDetails(
        slug=organisation.slug,
        name=organisation.name,
        role=actor.role,
        timezone=settings["timezone"],
        settings=settings,
    )
