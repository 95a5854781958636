"""Signing in and out, for programs and for pages of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.audit import ActorRef, ActorType, audit_of
from chatnation.core.auth.login_flow import LoginFlow
from chatnation.core.auth.refresh_tokens import Reused, exchange
from chatnation.core.auth.throttling import Attempt
from chatnation.core.errors import Problem
from chatnation.core.web.accounts.answers import Answers
from chatnation.core.web.accounts.models import ActorDetails, LoginAnswer, ProgramTokens
from chatnation.core.web.accounts.signing_out import sign_out
from chatnation.core.web.accounts.visitors import address_of, visitor_of
from chatnation.core.web.audited import record_of
from chatnation.core.web.cookies import SESSION_COOKIE, delete_cookie
from chatnation.core.web.routing import AUTHENTICATED, LIMITED, PUBLIC, Route

if TYPE_CHECKING:
    from chatnation.core.web.accounts.parts import AccountParts


class Credentials(BaseModel):
    """What somebody signs in with."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


class SecondFactorAnswer(BaseModel):
    """A code for a pending second-factor step: of the app, one that was sent, or a recovery code."""

    challenge: str = Field(max_length=200)
    code: str = Field(max_length=64)
    remember_device: bool = Field(False, description="Ask for no second factor in this browser for 30 days.")


class Resend(BaseModel):
    """Which pending step wants another code or link."""

    challenge: str = Field(max_length=200)
    factor: str | None = Field(None, max_length=50, description="A second factor of the user that sends codes.")


class Resent(BaseModel):
    """Another code or link is on its way."""

    sent_to: str = Field(description="Where it goes, masked.")


class TakeOver(BaseModel):
    """An answer to a pending take-over: `challenge` and the code that was mailed, or the `token` of the mailed link."""

    challenge: str | None = Field(None, max_length=200)
    code: str = Field("", max_length=64)
    token: str | None = Field(None, max_length=200)


class NewPassword(BaseModel):
    """A new password instead of an expired one."""

    challenge: str = Field(max_length=200)
    new_password: str = Field(max_length=1024)


class Refresh(BaseModel):
    """A refresh token that is exchanged for fresh tokens."""

    refresh_token: str = Field(max_length=200)


class Valid(BaseModel):
    """The login or token of the request is good."""

    valid: bool = True


class LoginRoutes:
    """`/api/auth/…`: the same steps as on the pages."""

    def __init__(self, parts: AccountParts, answers: Answers) -> None:
        self._parts = parts
        self._flow: LoginFlow = parts.flow
        self._answers = answers

    def routes(self) -> list[Route]:
        answer = LoginAnswer
        return [
            Route("POST", "/auth/login", self.log_in, PUBLIC, body=Credentials, response=answer),
            Route("POST", "/auth/token", self.token, PUBLIC, body=Credentials, response=answer),
            Route("POST", "/auth/token/refresh", self.refresh, PUBLIC, body=Refresh, response=ProgramTokens),
            Route("POST", "/auth/2fa/verify", self.verify, PUBLIC, body=SecondFactorAnswer, response=answer),
            Route("POST", "/auth/2fa/resend", self.resend, PUBLIC, body=Resend, response=Resent),
            Route("POST", "/auth/verify-session-takeover", self.take_over, PUBLIC, body=TakeOver, response=answer),
            Route("POST", "/auth/expired-password", self.new_password, PUBLIC, body=NewPassword, response=answer),
            Route("POST", "/auth/logout", self.log_out, LIMITED, status=204),
            Route("GET", "/auth/me", self.me, LIMITED, response=ActorDetails),
            Route("GET", "/auth/verify", self.valid, AUTHENTICATED, response=Valid),
        ]

    async def log_in(self, request: Request, body: Credentials) -> Response:
        """Sign in with e-mail address and password; the answer sets the cookie of the login, or names the next step."""
        state = await self._flow.with_password(body.email, body.password, visitor_of(request))
        return self._answers.json(request, state)

    async def token(self, request: Request, body: Credentials) -> Response:
        """As signing in, for a program: the answer holds tokens instead of setting a cookie."""
        state = await self._flow.with_password(body.email, body.password, visitor_of(request, program=True))
        return self._answers.json(request, state)

    async def refresh(self, request: Request, body: Refresh) -> ProgramTokens:
        """Exchange a refresh token for fresh tokens. One that was exchanged before ends the login: it was copied."""
        await self._parts.throttle.admit(Attempt.REFRESH, address_of(request))
        app = self._parts.app
        async with app.storage.system("a refresh token names no tenant") as connection:
            done = await exchange(connection, body.refresh_token, app.clock.now())
            if isinstance(done, Reused):
                self._parts.recognition.forget_after(connection)
                record = record_of(
                    request,
                    "auth.refresh_token.reused",
                    "user",
                    done.user_id,
                    tenant_id=done.tenant_id,
                    actor=ActorRef(ActorType.USER, done.user_id),
                )
                await audit_of(app).record(connection, record)
        if done is None or isinstance(done, Reused):
            raise Problem(401, "bad_refresh_token", "The refresh token is unknown, used or too old. Sign in again.")
        if await self._parts.standings.of(done.tenant_id, done.user_id) is None:
            raise Problem(401, "bad_refresh_token", "The refresh token is unknown, used or too old. Sign in again.")
        return self._answers.tokens(done)

    async def verify(self, request: Request, body: SecondFactorAnswer) -> Response:
        """Answer the second-factor step with a code."""
        state = await self._flow.show_code(
            body.challenge, body.code, visitor_of(request), remember=body.remember_device
        )
        return self._answers.json(request, state)

    async def resend(self, request: Request, body: Resend) -> Resent:
        """Have another code or link sent; at most one a minute."""
        state = await self._flow.send_again(body.challenge, visitor_of(request), factor=body.factor)
        return Resent(sent_to=state.sent_to or "")

    async def take_over(self, request: Request, body: TakeOver) -> Response:
        """End the login elsewhere and go on with this one."""
        visitor = visitor_of(request)
        if body.token is not None:
            return self._answers.json(request, await self._flow.take_over_by_link(body.token, visitor))
        state = await self._flow.take_over(body.challenge or "", visitor, code=body.code)
        return self._answers.json(request, state)

    async def new_password(self, request: Request, body: NewPassword) -> Response:
        """Answer the step that asks for a new password because the old one has expired."""
        state = await self._flow.change_password(body.challenge, body.new_password, visitor_of(request))
        return self._answers.json(request, state)

    async def log_out(self, request: Request) -> Response:
        """Sign out; the login ends at once."""
        await sign_out(self._parts, request)
        response = Response(status_code=204)
        delete_cookie(response, request, SESSION_COOKIE)
        return response

    async def me(self, request: Request) -> ActorDetails:
        """Who is signed in, what they may do, and a token for requests that change something."""
        return self._answers.details(request, request.state.actor)

    async def valid(self, request: Request) -> Valid:
        """Whether the login or token is good; 401 when it is not."""
        return Valid()
