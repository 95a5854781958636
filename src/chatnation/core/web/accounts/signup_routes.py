"""Signing up, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.web.accounts.models import LoginAnswer
from chatnation.core.web.accounts.password_routes import LONGEST
from chatnation.core.web.accounts.signing_up import SigningUp
from chatnation.core.web.routing import PUBLIC, Route

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers


class Availability(BaseModel):
    """Whether somebody may sign up now."""

    available: bool


class NewAccount(BaseModel):
    """Who signs up, and for which organisation."""

    email: str = Field(max_length=254)
    password: str = Field(
        max_length=LONGEST, description="8 to 128 characters with capital, small letter, digit, sign."
    )
    name: str = Field(min_length=2, max_length=100)
    organization_name: str = Field(min_length=2, max_length=100)
    organization_slug: str | None = Field(None, max_length=50, description="Handle; made from the name if not given.")


class SignupRoutes:
    """`/api/auth/signup` and `/api/auth/signup-available`."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._signing_up = SigningUp(app)
        self._answers = answers

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/auth/signup-available", self.available, PUBLIC, response=Availability),
            Route("POST", "/auth/signup", self.sign_up, PUBLIC, body=NewAccount, response=LoginAnswer),
        ]

    async def available(self, request: Request) -> Availability:
        """Whether somebody may sign up: where anybody may, or as long as there is no organisation."""
        return Availability(available=await self._signing_up.available())

    async def sign_up(self, request: Request, body: NewAccount) -> Response:
        """Make a user and an organisation that is theirs; the answer is that of a login."""
        state = await self._signing_up.sign_up(
            request,
            email=body.email,
            password=body.password,
            name=body.name,
            organisation=body.organization_name,
            slug=body.organization_slug,
        )
        return self._answers.json(request, state)
