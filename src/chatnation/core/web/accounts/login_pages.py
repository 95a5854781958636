"""`/login` and the steps behind it, `/verify-login`, `/logout`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation.core.auth.login_flow import LoginFlow, LoginState, Step
from chatnation.core.auth.second_factors import APP
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.web.accounts.answers import SET_UP_PATH, STEP_PATHS, Answers, check
from chatnation.core.web.accounts.ending import login_buttons
from chatnation.core.web.accounts.return_to import inside
from chatnation.core.web.accounts.signing_out import sign_out
from chatnation.core.web.accounts.visitors import visitor_of
from chatnation.core.web.cookies import CHALLENGE_COOKIE, SESSION_COOKIE, delete_cookie, read_cookie
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem
from chatnation.core.web.routing import PUBLIC, Page

if TYPE_CHECKING:
    from chatnation.core.web.accounts.parts import AccountParts

LOGIN = "/login"
_LONGEST_PASSWORD = 1024
_LONGEST_CODE = 64


class LoginPages:
    """Each step has a page of its own; the cookie that leads from one to the next opens nothing else."""

    def __init__(self, parts: AccountParts, answers: Answers) -> None:
        self._parts = parts
        self._flow: LoginFlow = parts.flow
        self._answers = answers

    def pages(self) -> list[Page]:
        def both(path: str, show: Any, answer: Any) -> list[Page]:
            return [Page(f"/{path}", show, PUBLIC), Page(f"/{path}", answer, PUBLIC, methods=("POST",))]

        return [
            *both(LOGIN, self.show_login, self.log_in),
            *both(STEP_PATHS[Step.SECOND_FACTOR], self.show_second_factor, self.second_factor),
            *both(STEP_PATHS[Step.TAKE_OVER], self.show_take_over, self.take_over),
            *both(STEP_PATHS[Step.CHANGE_PASSWORD], self.show_new_password, self.new_password),
            *both("/verify-login", self.show_link, self.follow_link),
            Page("//login/send-again", self.send_again, PUBLIC, methods=("POST",)),
            Page("//login/cancel", self.cancel, PUBLIC, methods=("POST",)),
            Page("//logout", self.log_out, PUBLIC, methods=("POST",)),
        ]

    async def show_login(self, request: Request) -> Response:
        actor = request.state.actor
        if actor is not None:
            target = SET_UP_PATH if actor.limited else inside(request.query_params.get("next"))
            return RedirectResponse(target, status_code=303)
        return await self._form(request, email="", next=inside(request.query_params.get("next")))

    async def log_in(self, request: Request) -> Response:
        form = await request.form()
        email, password = str(form.get("email", ""))[:254], str(form.get("password", ""))[:_LONGEST_PASSWORD]
        target = inside(str(form.get("next", "")))
        try:
            state = await self._flow.with_password(email, password, visitor_of(request), return_to=target)
            return await self._answers.page(request, state)
        except Problem as problem:
            return await self._form(request, problem, email=email, next=target)

    async def _form(self, request: Request, problem: Problem | None = None, **values: Any) -> Response:
        return _render(request, "login.html", problem, providers=await login_buttons(self._parts), **values)

    async def show_second_factor(self, request: Request) -> Response:
        return await self._show(request, Step.SECOND_FACTOR)

    async def second_factor(self, request: Request) -> Response:
        form = await request.form()
        code, remember = str(form.get("code", ""))[:_LONGEST_CODE], form.get("remember") == "on"
        token = read_cookie(request, CHALLENGE_COOKIE) or ""
        return await self._answer(
            request, Step.SECOND_FACTOR, self._flow.show_code(token, code, visitor_of(request), remember=remember)
        )

    async def show_take_over(self, request: Request) -> Response:
        return await self._show(request, Step.TAKE_OVER)

    async def take_over(self, request: Request) -> Response:
        code = str((await request.form()).get("code", ""))[:_LONGEST_CODE]
        token = read_cookie(request, CHALLENGE_COOKIE) or ""
        return await self._answer(request, Step.TAKE_OVER, self._flow.take_over(token, visitor_of(request), code=code))

    async def show_new_password(self, request: Request) -> Response:
        return await self._show(request, Step.CHANGE_PASSWORD)

    async def new_password(self, request: Request) -> Response:
        form = await request.form()
        password, again = (str(form.get(name, ""))[:_LONGEST_PASSWORD] for name in ("new_password", "again"))
        token = read_cookie(request, CHALLENGE_COOKIE) or ""
        if password != again:
            problem = Problem(422, "passwords_differ", "The two new passwords are not the same.")
            return await self._show(request, Step.CHANGE_PASSWORD, problem)
        return await self._answer(
            request, Step.CHANGE_PASSWORD, self._flow.change_password(token, password, visitor_of(request))
        )

    async def show_link(self, request: Request) -> Response:
        """Asks once more, because programs that look into mails open every link."""
        return _render(request, "accounts/verify_login.html", token=request.query_params.get("token", "")[:200])

    async def follow_link(self, request: Request) -> Response:
        token = str((await request.form()).get("token", ""))[:200]
        try:
            state = await self._flow.take_over_by_link(token, visitor_of(request))
            return await self._answers.page(request, state)
        except Problem as problem:
            return _render(request, "accounts/verify_login.html", problem, token="")

    async def send_again(self, request: Request) -> Response:
        factor = str((await request.form()).get("factor", "")) or None
        token = read_cookie(request, CHALLENGE_COOKIE) or ""
        try:
            state = await self._flow.send_again(token, visitor_of(request), factor=factor)
        except ChatnationError as error:
            problem = _shown(error)
            if problem.code == "login_expired":
                return _start_again(request, problem)
            pending = await self._flow.pending(token)
            back = STEP_PATHS[pending.step] if pending else LOGIN
            return redirect(back, notice=problem.detail, kind="danger")
        return redirect(STEP_PATHS[state.step], notice=f"Sent to {state.sent_to}.")

    async def cancel(self, request: Request) -> Response:
        await self._flow.give_up(read_cookie(request, CHALLENGE_COOKIE) or "")
        response = redirect(LOGIN)
        delete_cookie(response, request, CHALLENGE_COOKIE)
        return response

    async def log_out(self, request: Request) -> Response:
        await sign_out(self._parts, request)
        response = redirect(LOGIN, notice="You are signed out.")
        delete_cookie(response, request, SESSION_COOKIE)
        return response

    async def _answer(self, request: Request, step: Step, answering: Awaitable[LoginState]) -> Response:
        try:
            state = await answering
            check(state)
        except ChatnationError as error:
            problem = _shown(error)
            if problem.code in {"login_expired", "wrong_credentials"}:
                return _start_again(request, problem)
            return await self._show(request, step, problem)
        return await self._answers.page(request, state)

    async def _show(self, request: Request, step: Step, problem: Problem | None = None) -> Response:
        """The page of the pending step, whichever that is; the login page without one."""
        token = read_cookie(request, CHALLENGE_COOKIE)
        state = await self._flow.pending(token) if token else None
        if state is None:
            return redirect(LOGIN)
        if state.step is not step:
            return redirect(STEP_PATHS[state.step])
        values: dict[str, Any] = {"state": state}
        if step is Step.SECOND_FACTOR:
            values["app"] = APP
            values["labels"] = {name: self._parts.factors.label(name) for name in state.factors}
        elif step is Step.CHANGE_PASSWORD:
            values["rules"] = await self._flow.rules_of_pending(token or "")
        return _render(request, f"accounts/{_TEMPLATES[step]}.html", problem, **values)


_TEMPLATES = {
    Step.SECOND_FACTOR: "second_factor",
    Step.TAKE_OVER: "take_over",
    Step.CHANGE_PASSWORD: "expired_password",
}


def _start_again(request: Request, problem: Problem) -> Response:
    response = redirect(LOGIN, notice=problem.detail, kind="danger")
    delete_cookie(response, request, CHALLENGE_COOKIE)
    return response


def _render(request: Request, template: str, problem: Problem | None = None, **values: Any) -> Response:
    page: Response = request.state.render(
        template, status=problem.status if problem else 200, problem=problem, **values
    )
    page.headers.update(problem.headers if problem else {})
    return page


def _shown(error: ChatnationError) -> Problem:
    problem = as_problem(error)
    if problem.status >= 500:
        raise error
    return problem
