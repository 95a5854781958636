"""From where a login stands to a response: a page with its cookies, or JSON."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chatnation.core.auth.access_tokens import LIFETIME, AccessTokens
from chatnation.core.auth.devices import REMEMBERED
from chatnation.core.auth.login_flow import LoginState, Step
from chatnation.core.auth.logins import OpenedLogin
from chatnation.core.auth.throttling import too_many
from chatnation.core.clock import Clock
from chatnation.core.context import Actor
from chatnation.core.errors import Problem
from chatnation.core.web.access import CsrfTokens
from chatnation.core.web.accounts.models import ActorDetails, PendingStep, ProgramTokens, SignedIn
from chatnation.core.web.cookies import CHALLENGE_COOKIE, DEVICE_COOKIE, SESSION_COOKIE, delete_cookie, set_cookie
from chatnation.core.web.notices import redirect

SET_UP_PATH = "/login/set-up"
STEP_PATHS = {
    Step.SECOND_FACTOR: "/login/second-factor",
    Step.TAKE_OVER: "/login/take-over",
    Step.CHANGE_PASSWORD: "/login/new-password",
    Step.SET_UP_SECOND_FACTOR: SET_UP_PATH,
}


class Answers:
    """Makes the responses that every way of signing in ends with."""

    def __init__(self, *, secret: str, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock
        self._access_tokens = AccessTokens(secret)

    async def page(self, request: Request, state: LoginState, *, notice: str = "") -> Response:
        """Go to the page of the next step, or to where one wanted to go. Raises what keeps a login out."""
        check(state)
        response = redirect(STEP_PATHS.get(state.step, state.return_to), notice=notice)
        self.set_cookies(response, request, state)
        if state.challenge is not None:
            set_cookie(response, request, CHALLENGE_COOKIE, state.challenge, expires=state.expires_at)
        elif state.login is not None:
            delete_cookie(response, request, CHALLENGE_COOKIE)
        return response

    def json(self, request: Request, state: LoginState) -> Response:
        """The state as a `LoginAnswer`. Raises what keeps a login out."""
        check(state)
        if state.login is None:
            answer: BaseModel = _pending(state)
        elif state.program:
            answer = self.tokens(state.login, state.step)
        else:
            assert state.actor is not None
            tokens = CsrfTokens(request, self._secret)
            tokens.binding = state.login.token
            answer = SignedIn(step=_opened(state.step), **details_of(state.actor, tokens.token).model_dump())
        response = JSONResponse(answer.model_dump(mode="json"))
        if not state.program:
            self.set_cookies(response, request, state)
        return response

    def tokens(self, login: OpenedLogin, step: Step = Step.LOGGED_IN) -> ProgramTokens:
        """The tokens of a program's login."""
        return ProgramTokens(
            step=_opened(step),
            access_token=self._access_tokens.issue(login.id, login.user_id, self._clock.now()),
            expires_in=int(LIFETIME.total_seconds()),
            refresh_token=login.token,
            refresh_expires_at=login.expires_at,
        )

    def details(self, request: Request, actor: Actor) -> ActorDetails:
        """Who is signed in."""
        return details_of(actor, CsrfTokens(request, self._secret).token)

    @staticmethod
    def set_cookies(response: Response, request: Request, state: LoginState) -> None:
        """The cookies of an opened login and of a device that is remembered from now on."""
        if state.login is not None:
            set_cookie(response, request, SESSION_COOKIE, state.login.token, expires=state.login.expires_at)
        if state.device_token is not None:
            set_cookie(response, request, DEVICE_COOKIE, state.device_token, lasting=REMEMBERED)


def check(state: LoginState) -> None:
    """Raise the problem of a login that was refused or is locked."""
    if state.step is Step.LOCKED:
        raise too_many(state.retry_after)
    if state.step is Step.REFUSED:
        raise Problem(401, "wrong_credentials", "The e-mail address or the password is wrong.")


def details_of(actor: Actor, csrf_token: str) -> ActorDetails:
    """Who somebody is, and what they may do."""
    return ActorDetails(
        name=actor.name,
        email=actor.email,
        role=actor.role,
        tenant=actor.tenant.slug,
        tenant_name=actor.tenant.name,
        timezone=actor.tenant.timezone,
        permissions=sorted(actor.permissions),
        team_permissions={team: sorted(held) for team, held in actor.team_permissions.items()},
        second_factor_setup_required=actor.limited,
        csrf_token=csrf_token,
    )


def _pending(state: LoginState) -> PendingStep:
    step: Any = str(state.step)
    return PendingStep(
        step=step,
        challenge=state.challenge or "",
        factors=list(state.factors),
        factor=state.factor,
        sent_to=state.sent_to,
        confirm_only=state.confirm_only,
        expires_at=state.expires_at,
    )


def _opened(step: Step) -> Any:
    return str(step)
