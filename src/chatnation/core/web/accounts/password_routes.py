"""One's own password, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.errors import Problem
from chatnation.core.web.accounts.models import LoginAnswer
from chatnation.core.web.accounts.passwords import Passwords
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC, Route

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers

LONGEST = 1024
"""Characters of a password that are read at all."""


class ForgottenPassword(BaseModel):
    """Whose password was forgotten."""

    email: str = Field(max_length=254)


class Accepted(BaseModel):
    """The request was taken; nothing more is told."""

    ok: bool = True


class ResetPassword(BaseModel):
    """A new password, and the token of the link that was mailed."""

    token: str = Field(max_length=200)
    new_password: str = Field(max_length=LONGEST)


class ChangedPassword(BaseModel):
    """A new password, and the one that it replaces."""

    current_password: str = Field(max_length=LONGEST)
    new_password: str = Field(max_length=LONGEST)


class PasswordRoutes:
    """`/api/auth/forgot-password`, `/api/auth/reset-password` and `/api/auth/change-password`."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._passwords = Passwords(app)
        self._answers = answers

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/auth/forgot-password", self.forgot, PUBLIC, body=ForgottenPassword, response=Accepted),
            Route("POST", "/auth/reset-password", self.reset, PUBLIC, body=ResetPassword, response=LoginAnswer),
            Route(
                "POST", "/auth/change-password", self.change, AUTHENTICATED, body=ChangedPassword, response=LoginAnswer
            ),
        ]

    async def forgot(self, request: Request, body: ForgottenPassword) -> Accepted:
        """Have a link to a new password mailed. The answer is the same whether anybody has that address."""
        await self._passwords.forget(request, body.email)
        return Accepted()

    async def reset(self, request: Request, body: ResetPassword) -> Response:
        """Set a new password with the token of a mailed link; the answer is that of a login."""
        return self._answers.json(request, await self._passwords.reset(request, body.token, body.new_password))

    async def change(self, request: Request, body: ChangedPassword) -> Response:
        """Replace your password; every login of yours ends, and the answer is that of a new one."""
        if request.state.actor.user_id is None:
            raise Problem(403, "forbidden", "Only a person has a password.")
        state = await self._passwords.change(request, body.current_password, body.new_password)
        return self._answers.json(request, state)
