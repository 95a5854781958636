"""`/settings/profile`, and `/login/set-up` for a second factor."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.auth.totp import qr_code
from chatnation.core.context import Actor
from chatnation.core.errors import ChatnationError, Problem
from chatnation.core.ids import parse_uuid
from chatnation.core.web.access import CONFIRM_PATH
from chatnation.core.web.accounts.answers import SET_UP_PATH, Answers
from chatnation.core.web.accounts.own_account import Given, OwnAccount, SetUp, login_of
from chatnation.core.web.accounts.profile_routes import LARGEST_ID, LONGEST_DAYS, ProfileRoutes
from chatnation.core.web.accounts.return_to import inside
from chatnation.core.web.cookies import CHALLENGE_COOKIE, SESSION_COOKIE, delete_cookie, read_cookie, set_cookie
from chatnation.core.web.notices import redirect
from chatnation.core.web.problems import as_problem, not_found
from chatnation.core.web.routing import AUTHENTICATED, LIMITED, Page

if TYPE_CHECKING:
    from chatnation.core.web.accounts.parts import AccountParts

PATH = "/settings/profile"
FINISH_PATH = f"{SET_UP_PATH}/finish"


class ProfilePages:
    """The page of one's own account, a form for each thing on it, and the set-up of a second factor."""

    def __init__(self, parts: AccountParts, answers: Answers) -> None:
        self._parts = parts
        self._account = OwnAccount(parts)
        self._details = ProfileRoutes(parts, answers)

    def pages(self) -> list[Page]:
        def post(path: str, handler: Any, permission: str = AUTHENTICATED) -> Page:
            return Page(f"/{path}", handler, permission, methods=("POST",))

        return [
            Page(f"/{PATH}", self.show, AUTHENTICATED),
            post(f"{PATH}/name", self.rename),
            post(f"{PATH}/factors/disable", self.disable),
            post(f"{PATH}/recovery-codes", self.recover),
            post(f"{PATH}/logins/close", self.close_login),
            post(f"{PATH}/logins/close-others", self.close_others),
            post(f"{PATH}/logins/close-all", self.close_all),
            post(f"{PATH}/devices/forget", self.forget_device),
            post(f"{PATH}/tokens", self.create_token),
            post(f"{PATH}/tokens/revoke", self.revoke_token),
            Page(f"/{CONFIRM_PATH}", self.show_confirm, AUTHENTICATED),
            post(CONFIRM_PATH, self.confirm),
            Page(f"/{SET_UP_PATH}", self.choose_factor, LIMITED),
            post(SET_UP_PATH, self.start_set_up, LIMITED),
            Page(f"/{FINISH_PATH}", self.show_set_up, LIMITED),
            post(FINISH_PATH, self.finish_set_up, LIMITED),
        ]

    async def show(self, request: Request) -> Response:
        if request.state.actor.user_id is None:
            raise not_found()
        return await self._page(request)

    async def rename(self, request: Request) -> Response:
        name = str((await request.form()).get("name", ""))[:200]
        return await self._done(self._account.rename(request, name), "Your name is changed.")

    async def disable(self, request: Request) -> Response:
        factor = str((await request.form()).get("factor", ""))[:50]
        return await self._done(
            self._account.disable(request, factor, await _given(request)), "The second factor is taken away."
        )

    async def recover(self, request: Request) -> Response:
        try:
            codes = await self._account.new_recovery_codes(request, await _given(request))
        except ChatnationError as error:
            return redirect(PATH, notice=_shown(error).detail, kind="danger")
        return _recovery_codes(request, codes)

    async def close_login(self, request: Request) -> Response:
        login = _uuid(await request.form(), "login")
        done = await self._done(self._account.close_login(request, login), "Signed out there.")
        if login == request.state.actor.login_id:
            delete_cookie(done, request, SESSION_COOKIE)
        return done

    async def close_others(self, request: Request) -> Response:
        return await self._done(self._account.close_logins(request, keep_this=True), "Signed out everywhere else.")

    async def close_all(self, request: Request) -> Response:
        await self._account.close_logins(request, keep_this=False)
        response = redirect("/login", notice="You are signed out everywhere.")
        delete_cookie(response, request, SESSION_COOKIE)
        return response

    async def forget_device(self, request: Request) -> Response:
        device = _uuid(await request.form(), "device")
        return await self._done(
            self._account.forget_device(request, device), "That browser is asked for a second factor again."
        )

    async def create_token(self, request: Request) -> Response:
        """Make a token and show it, once, in the page that answers."""
        form = await request.form()
        scopes = [str(scope)[:100] for scope in form.getlist("scope")][:200]
        days = str(form.get("days", ""))
        expires_at = None
        if days.isdecimal() and 1 <= int(days) <= LONGEST_DAYS:
            expires_at = self._parts.app.clock.now() + timedelta(days=int(days))
        try:
            made = await self._account.create_token(request, str(form.get("name", ""))[:200], scopes, expires_at)
        except ChatnationError as error:
            return await self._page(request, problem=_shown(error))
        return await self._page(request, new_token=made.secret)

    async def revoke_token(self, request: Request) -> Response:
        token = str((await request.form()).get("token", ""))
        token_id = min(int(token), LARGEST_ID) if token.isdecimal() and len(token) < 12 else 0
        return await self._done(self._account.revoke_token(request, token_id), "The token is revoked.")

    async def show_confirm(self, request: Request) -> Response:
        login_of(request)
        return _confirm(request, inside(request.query_params.get("next")))

    async def confirm(self, request: Request) -> Response:
        target = inside(str((await request.form()).get("next", "")))
        try:
            await self._account.confirm(request, await _given(request))
        except ChatnationError as error:
            return _confirm(request, target, _shown(error))
        return redirect(target)

    async def choose_factor(self, request: Request) -> Response:
        return await self._set_up_page(request)

    async def start_set_up(self, request: Request) -> Response:
        form = await request.form()
        factor, address = str(form.get("factor", ""))[:50], str(form.get("address", ""))[:200]
        try:
            made = await self._account.start_set_up(request, factor, address, await _given(request))
        except ChatnationError as error:
            return await self._set_up_page(request, _shown(error))
        notice = f"A code was sent to {made.sent_to}." if made.sent_to else ""
        response = redirect(FINISH_PATH, notice=notice)
        set_cookie(response, request, CHALLENGE_COOKIE, made.challenge, lasting=timedelta(minutes=10))
        return response

    async def show_set_up(self, request: Request) -> Response:
        return await self._finish_page(request)

    async def finish_set_up(self, request: Request) -> Response:
        code = str((await request.form()).get("code", ""))[:64]
        token = read_cookie(request, CHALLENGE_COOKIE) or ""
        try:
            codes = await self._account.finish_set_up(request, token, code)
        except ChatnationError as error:
            return await self._finish_page(request, _shown(error))
        actor: Actor = request.state.actor
        response = (
            _recovery_codes(request, codes)
            if codes
            else redirect("/" if actor.limited else PATH, notice="The second factor is set up.")
        )
        delete_cookie(response, request, CHALLENGE_COOKIE)
        return response

    async def _page(self, request: Request, *, new_token: str = "", problem: Problem | None = None) -> Response:
        if request.state.actor.login_id is None:
            raise not_found()
        here = login_of(request).login_id
        found = [self._details.login_details(entry, here) for entry in await self._account.logins(request)]
        response: Response = request.state.render(
            "accounts/profile.html",
            status=problem.status if problem else 200,
            problem=problem,
            factors=await self._account.factors(request),
            logins=found,
            devices=[self._details.device_details(device) for device in await self._account.devices(request)],
            tokens=await self._account.tokens(request),
            permissions=self._permissions(request.state.actor),
            new_token=new_token,
            set_up_path=SET_UP_PATH,
        )
        return response

    def _permissions(self, actor: Actor) -> list[tuple[str, str]]:
        """Names and words of what the actor may do, to choose a token's from."""
        return [
            (entry.item.name, entry.item.description)
            for entry in self._parts.app.resources.permissions
            if entry.item.name in actor.permissions
        ]

    async def _set_up_page(self, request: Request, problem: Problem | None = None) -> Response:
        factors = await self._account.factors(request)
        response: Response = request.state.render(
            "accounts/set_up.html",
            status=problem.status if problem else 200,
            problem=problem,
            factors=factors,
            held={entry.name for entry in factors.held},
            set_up_path=SET_UP_PATH,
        )
        return response

    async def _finish_page(self, request: Request, problem: Problem | None = None) -> Response:
        token = read_cookie(request, CHALLENGE_COOKIE)
        made: SetUp | None = await self._account.pending_set_up(request, token) if token else None
        if made is None:
            return redirect(SET_UP_PATH, notice=problem.detail if problem else "", kind="danger")
        response: Response = request.state.render(
            "accounts/set_up_finish.html",
            status=problem.status if problem else 200,
            problem=problem,
            made=made,
            picture=Markup(qr_code(made.uri)) if made.uri else "",
            secret=" ".join(made.secret[start : start + 4] for start in range(0, len(made.secret), 4)),
            finish_path=FINISH_PATH,
            set_up_path=SET_UP_PATH,
        )
        return response

    async def _done(self, doing: Awaitable[object], notice: str) -> Response:
        try:
            await doing
        except ChatnationError as error:
            return redirect(PATH, notice=_shown(error).detail, kind="danger")
        return redirect(PATH, notice=notice)


def _confirm(request: Request, target: str, problem: Problem | None = None) -> Response:
    status = problem.status if problem else 200
    response: Response = request.state.render("accounts/confirm.html", status=status, next=target, problem=problem)
    response.headers.update(problem.headers if problem else {})
    return response


def _recovery_codes(request: Request, codes: list[str]) -> Response:
    response: Response = request.state.render("accounts/recovery_codes.html", codes=codes, back=PATH)
    return response


async def _given(request: Request) -> Given:
    """What was typed once more; one field takes the password or a code."""
    typed = str((await request.form()).get("proof", ""))[:1024]
    return Given(password=typed, code=typed[:64])


def _uuid(form: Any, name: str) -> UUID:
    found = parse_uuid(str(form.get(name, "")))
    if found is None:
        raise not_found()
    return found


def _shown(error: ChatnationError) -> Problem:
    problem = as_problem(error)
    if problem.status >= 500:
        raise error
    return problem
