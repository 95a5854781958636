"""Answering an invitation, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.auth.refusals import BadLink
from chatnation.core.web.accounts.invitations import Answering
from chatnation.core.web.accounts.models import LoginAnswer
from chatnation.core.web.accounts.password_routes import LONGEST
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC, Route

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers


class LinkToken(BaseModel):
    """The token of an invitation's link."""

    token: str = Field(max_length=200)


class PasswordRequirements(BaseModel):
    """What a new password has to have."""

    min_length: int
    max_length: int
    require_uppercase: bool
    require_lowercase: bool
    require_number: bool
    require_special: bool


class InvitationState(BaseModel):
    """What a link opens; only `valid` if it opens nothing."""

    valid: bool
    email: str | None = None
    role: str | None = None
    tenant_name: str | None = None
    has_account: bool | None = Field(
        None, description="Whether there is a user of the address, who signs in to accept."
    )
    password: PasswordRequirements | None = None


class Acceptance(BaseModel):
    """Where one is a member now."""

    tenant: str = Field(description="Handle of the tenant.")
    tenant_name: str
    role: str


class Claim(BaseModel):
    """Who the invited person is, and their password."""

    token: str = Field(max_length=200)
    password: str = Field(max_length=LONGEST)
    name: str = Field("", max_length=100)


class InvitationRoutes:
    """`/api/invitations/validate`, `/api/invitations/accept` and `/api/invitations/claim`."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._answering = Answering(app)
        self._answers = answers

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/invitations/validate", self.validate, PUBLIC, query=LinkToken, response=InvitationState),
            Route("POST", "/invitations/accept", self.accept, AUTHENTICATED, body=LinkToken, response=Acceptance),
            Route("POST", "/invitations/claim", self.claim, PUBLIC, body=Claim, response=LoginAnswer),
        ]

    async def validate(self, request: Request, query: LinkToken) -> InvitationState:
        """What the link of an invitation opens, and what a password has to be."""
        try:
            opened = await self._answering.open(request, query.token)
        except BadLink:
            return InvitationState(valid=False)
        return InvitationState(
            valid=True,
            email=opened.email,
            role=opened.role,
            tenant_name=opened.tenant.name,
            has_account=opened.known,
            password=requirements(opened.rules),
        )

    async def accept(self, request: Request, body: LinkToken) -> Acceptance:
        """Become a member of the tenant that invited your address."""
        accepted = await self._answering.accept(request, body.token)
        return Acceptance(tenant=accepted.tenant.slug, tenant_name=accepted.tenant.name, role=accepted.role)

    async def claim(self, request: Request, body: Claim) -> Response:
        """Become a user, with the address that was invited; the answer is that of a login."""
        return self._answers.json(request, await self._answering.claim(request, body.token, body.name, body.password))


def requirements(rules: PasswordRules) -> PasswordRequirements:
    """`rules` as they are told to programs."""
    return PasswordRequirements(
        min_length=rules.min_length,
        max_length=rules.max_length,
        require_uppercase=rules.uppercase,
        require_lowercase=rules.lowercase,
        require_number=rules.number,
        require_special=rules.special,
    )
