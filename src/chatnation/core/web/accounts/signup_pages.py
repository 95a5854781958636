"""`/signup`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.password_policy import STRICT
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.accounts.password_routes import LONGEST
from chatnation.core.web.accounts.signing_up import SigningUp
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import PUBLIC, Page

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers


class SignupPages:
    """The form to sign up with, or the word that nobody can."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._signing_up = SigningUp(app)
        self._answers = answers

    def pages(self) -> list[Page]:
        return [
            Page("//signup", self.show, PUBLIC),
            Page("//signup", self.sign_up, PUBLIC, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        return await self._form(request, {})

    async def sign_up(self, request: Request) -> Response:
        form = await request.form()
        given = {name: str(form.get(name, ""))[:LONGEST] for name in ("email", "name", "organisation", "password")}
        try:
            state = await self._signing_up.sign_up(request, **given, slug=None)
        except ChatnationError as error:
            problem = as_problem(error)
            if problem.status >= 500:
                raise
            return await self._form(request, given, problem)
        return await self._answers.page(request, state)

    async def _form(self, request: Request, given: dict[str, str], problem: Problem | None = None) -> Response:
        available = await self._signing_up.available()
        response: Response = request.state.render(
            "accounts/signup.html",
            status=problem.status if problem else 200,
            available=available,
            given=given,
            rules=STRICT,
            problem=problem,
        )
        response.headers.update(problem.headers if problem else {})
        return response
