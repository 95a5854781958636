"""Members and invitations for programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.requests import Request

from chatnation.core.web.routing import Route
from chatnation.core.web.settings.people import People

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

PERMISSION = "users.manage"
LARGEST_ID = 2**31 - 1


class MemberDetails(BaseModel):
    """A member of the tenant."""

    model_config = ConfigDict(from_attributes=True)

    user_id: int
    email: str
    name: str
    role: str = Field(description="Name of the role.")
    role_key: str = Field(description="What names the role in requests: a system role's name, or the id of another.")
    active: bool
    joined_at: datetime
    last_login_at: datetime | None
    invited_by: str | None = Field(description="Name of who invited them.")


class MemberList(BaseModel):
    """Everybody who belongs to the tenant, the deactivated ones last."""

    members: list[MemberDetails]


class InvitationDetails(BaseModel):
    """An invitation that waits for an answer. Its link is only in the mail."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    role: str
    invited_by: str | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime


class InvitationList(BaseModel):
    """Invitations that wait for an answer, newest first; the expired ones too."""

    invitations: list[InvitationDetails]


class NewInvitation(BaseModel):
    """Whom to invite, and as what."""

    email: str = Field(max_length=254)
    role: str = Field("agent", max_length=100, description="Key or name of a role.")


class RoleChange(BaseModel):
    """The role that a member gets."""

    role: str | None = Field(None, max_length=100, description="Key or name of a role.")
    role_id: int | None = Field(None, ge=1, le=LARGEST_ID, description="Id of a role of the tenant's own, instead.")

    @model_validator(mode="after")
    def _one(self) -> RoleChange:
        if (self.role is None) == (self.role_id is None):
            raise ValueError("give either role or role_id")
        return self

    @property
    def wanted(self) -> str:
        return self.role if self.role is not None else str(self.role_id)


class PeopleRoutes:
    """`/api/tenants/current/members` and `/api/tenants/current/invitations`."""

    def __init__(self, app: App) -> None:
        self._people = People(app)

    def routes(self) -> list[Route]:
        base = "/tenants/current"
        return [
            Route("GET", f"{base}/members", self.members, PERMISSION, response=MemberList),
            Route(
                "PATCH",
                f"{base}/members/{{user:int}}",
                self.change_role,
                PERMISSION,
                body=RoleChange,
                response=MemberDetails,
            ),
            Route(
                "PATCH", f"{base}/members/{{user:int}}/deactivate", self.deactivate, PERMISSION, response=MemberDetails
            ),
            Route(
                "PATCH", f"{base}/members/{{user:int}}/reactivate", self.reactivate, PERMISSION, response=MemberDetails
            ),
            Route("GET", f"{base}/invitations", self.invitations, PERMISSION, response=InvitationList),
            Route(
                "POST",
                f"{base}/invitations",
                self.invite,
                PERMISSION,
                body=NewInvitation,
                response=InvitationDetails,
                status=201,
            ),
            Route(
                "POST",
                f"{base}/invitations/{{invitation:int}}/resend",
                self.resend,
                PERMISSION,
                response=InvitationDetails,
            ),
            Route("DELETE", f"{base}/invitations/{{invitation:int}}", self.revoke, PERMISSION, status=204),
        ]

    async def members(self, request: Request) -> dict[str, object]:
        """Everybody who belongs to the tenant."""
        return {"members": await self._people.members(_actor(request))}

    async def change_role(self, request: Request, body: RoleChange) -> object:
        """Give a member another role, neither theirs nor the new one above your own."""
        return await self._people.change_role(request, _id(request, "user"), body.wanted)

    async def deactivate(self, request: Request) -> object:
        """Take a member's access away; what they have open ends within a second."""
        return await self._people.deactivate(request, _id(request, "user"))

    async def reactivate(self, request: Request) -> object:
        """Give a deactivated member access again."""
        return await self._people.reactivate(request, _id(request, "user"))

    async def invitations(self, request: Request) -> dict[str, object]:
        """Invitations that wait for an answer."""
        return {"invitations": await self._people.invitations(_actor(request))}

    async def invite(self, request: Request, body: NewInvitation) -> object:
        """Mail somebody a link that makes them a member; who was invited before gets a fresh one."""
        return await self._people.invite(request, body.email, body.role)

    async def resend(self, request: Request) -> object:
        """Mail an invitation again; the link before is void."""
        return await self._people.resend(request, _id(request, "invitation"))

    async def revoke(self, request: Request) -> None:
        """Void an invitation."""
        await self._people.revoke(request, _id(request, "invitation"))


def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


def _id(request: Request, name: str) -> int:
    """An id of the address; one that no row can have stays one that no row has."""
    return min(int(request.path_params[name]), LARGEST_ID)
