"""`/forgot-password`, `/reset-password` and `/settings/password`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.passwords import PasswordRules
from chatnation.core.auth.refusals import BadLink
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.accounts.password_routes import LONGEST
from chatnation.core.web.accounts.passwords import Passwords
from chatnation.core.web.problems import as_problem, not_found
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC, Page

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.accounts.answers import Answers


class PasswordPages:
    """Forms for one's own password."""

    def __init__(self, app: App, answers: Answers) -> None:
        self._passwords = Passwords(app)
        self._answers = answers

    def pages(self) -> list[Page]:
        return [
            Page("//forgot-password", self.show_forgot, PUBLIC),
            Page("//forgot-password", self.forgot, PUBLIC, methods=("POST",)),
            Page("//reset-password", self.show_reset, PUBLIC),
            Page("//reset-password", self.reset, PUBLIC, methods=("POST",)),
            Page("//settings/password", self.show_change, AUTHENTICATED),
            Page("//settings/password", self.change, AUTHENTICATED, methods=("POST",)),
        ]

    async def show_forgot(self, request: Request) -> Response:
        return _forgot(request)

    async def forgot(self, request: Request) -> Response:
        email = str((await request.form()).get("email", ""))[:254]
        try:
            await self._passwords.forget(request, email)
        except Problem as problem:
            return _forgot(request, email=email, problem=problem)
        return _forgot(request, email=email, sent=True)

    async def show_reset(self, request: Request) -> Response:
        token = request.query_params.get("token", "")
        try:
            rules = await self._passwords.opened(request, token)
        except BadLink as error:
            return _reset(request, void=str(error))
        return _reset(request, token=token, rules=rules)

    async def reset(self, request: Request) -> Response:
        form = await request.form()
        token, password, again = (str(form.get(name, ""))[:LONGEST] for name in ("token", "new_password", "again"))
        try:
            if password != again:
                raise _different()
            state = await self._passwords.reset(request, token, password)
        except BadLink as error:
            return _reset(request, void=str(error))
        except ChatnationError as error:
            return _reset(
                request, token=token, rules=await self._passwords.opened(request, token), problem=_shown(error)
            )
        return await self._answers.page(request, state, notice="Your password is changed.")

    async def show_change(self, request: Request) -> Response:
        return await self._change_form(request)

    async def change(self, request: Request) -> Response:
        form = await request.form()
        names = ("current_password", "new_password", "again")
        current, password, again = (str(form.get(name, ""))[:LONGEST] for name in names)
        try:
            if password != again:
                raise _different()
            state = await self._passwords.change(request, current, password)
        except ChatnationError as error:
            return await self._change_form(request, _shown(error))
        return await self._answers.page(
            request, state, notice="Your password is changed. Everywhere else you are signed out."
        )

    async def _change_form(self, request: Request, problem: Problem | None = None) -> Response:
        user_id = request.state.actor.user_id
        if user_id is None:
            raise not_found()
        response: Response = request.state.render(
            "accounts/change_password.html",
            status=problem.status if problem else 200,
            rules=await self._passwords.rules(user_id),
            problem=problem,
        )
        return response


def _forgot(request: Request, *, email: str = "", sent: bool = False, problem: Problem | None = None) -> Response:
    status = problem.status if problem else 200
    response: Response = request.state.render(
        "accounts/forgot_password.html", status=status, email=email, sent=sent, problem=problem
    )
    response.headers.update(problem.headers if problem else {})
    return response


def _reset(
    request: Request,
    *,
    token: str = "",
    rules: PasswordRules | None = None,
    problem: Problem | None = None,
    void: str = "",
) -> Response:
    status = problem.status if problem else 200
    response: Response = request.state.render(
        "accounts/reset_password.html", status=status, token=token, rules=rules, problem=problem, void=void
    )
    response.headers.update(problem.headers if problem else {})
    return response


def _different() -> Problem:
    return Problem(422, "passwords_differ", "The two new passwords are not the same.")


def _shown(error: ChatnationError) -> Problem:
    problem = as_problem(error)
    if problem.status >= 500:
        raise error
    return problem
