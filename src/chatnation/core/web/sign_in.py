"""Signing in and out: the login page, and the same for programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from chatnation.core.auth.key_actors import actor_of
from chatnation.core.auth.keys import find_grant, looks_like_key
from chatnation.core.auth.logins import Login, Logins
from chatnation.core.auth.permissions import Roles
from chatnation.core.context import Actor
from chatnation.core.errors import Problem
from chatnation.core.web.access import SESSION_COOKIE, CsrfTokens
from chatnation.core.web.notices import redirect
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC, Page, Route
from chatnation.core.web.throttle import Throttle

if TYPE_CHECKING:
    from chatnation.core.app import App

HOME = "/"


class Credentials(BaseModel):
    """What somebody signs in with."""

    email: str = Field(max_length=254)
    password: str = Field(max_length=1024)


class ActorDetails(BaseModel):
    """Who is signed in, and what they may do."""

    name: str
    email: str
    role: str
    tenant: str = Field(description="Handle of the tenant.")
    tenant_name: str
    timezone: str = Field(description="The tenant's time zone; days and hours of reports follow it.")
    permissions: list[str]
    csrf_token: str = Field(description="Goes into the X-CSRF-Token header of requests that change something.")


class SignIn:
    """Recognises logins and keys, and answers the addresses where people sign in and out."""

    def __init__(self, app: App, *, secret: str) -> None:
        self._secret = secret
        self._logins = Logins(app.storage, Roles(app.resources.permissions), app.clock)
        self._throttle = Throttle(app.redis)
        self._storage = app.storage
        self._clock = app.clock

    async def actor_of_session(self, token: str) -> Actor | None:
        """Who holds the login session of this cookie."""
        return await self._logins.recognise(token)

    async def actor_of_key(self, key: str) -> Actor | None:
        """Who asks with this key; looked up each time, so that a revoked one is refused at once."""
        if not looks_like_key(key):
            return None
        async with self._storage.system("a key names no tenant yet") as connection:
            grant = await find_grant(connection, key)
        return actor_of(grant) if grant is not None and grant.valid_at(self._clock.now()) else None

    def pages(self) -> list[Page]:
        return [
            Page("//login", self._show_login, PUBLIC),
            Page("//login", self._log_in, PUBLIC, methods=("POST",)),
            Page("//logout", self._log_out, PUBLIC, methods=("POST",)),
        ]

    def routes(self) -> list[Route]:
        return [
            Route("POST", "/auth/login", self._api_log_in, PUBLIC, body=Credentials, response=ActorDetails),
            Route("POST", "/auth/logout", self._api_log_out, AUTHENTICATED, status=204),
            Route("GET", "/auth/me", self._api_me, AUTHENTICATED, response=ActorDetails),
        ]

    async def _show_login(self, request: Request) -> Response:
        if request.state.actor is not None:
            return RedirectResponse(_inside(request.query_params.get("next")), status_code=303)
        return self._login_page(request)

    async def _log_in(self, request: Request) -> Response:
        form = await request.form()
        email, password = str(form.get("email", ""))[:254], str(form.get("password", ""))[:1024]
        try:
            login = await self._open(request, email, password)
        except Problem as problem:
            return self._login_page(request, email=email, problem=problem)
        response = RedirectResponse(_inside(str(form.get("next", ""))), status_code=303)
        _set_cookie(response, request, login.token, login.expires_at)
        return response

    async def _log_out(self, request: Request) -> Response:
        await self._logins.log_out(request.cookies.get(SESSION_COOKIE, ""))
        response = redirect("/login", notice="You are signed out.")
        response.delete_cookie(SESSION_COOKIE)
        return response

    async def _api_log_in(self, request: Request, body: Credentials) -> Response:
        """Sign in with e-mail address and password; the answer sets the cookie of the login session."""
        login = await self._open(request, body.email, body.password)
        tokens = CsrfTokens(request, self._secret)
        tokens.binding = login.token
        response = JSONResponse(_details(login.actor, tokens.token).model_dump())
        _set_cookie(response, request, login.token, login.expires_at)
        return response

    async def _api_log_out(self, request: Request) -> Response:
        """Sign out; the login session ends at once."""
        await self._logins.log_out(request.cookies.get(SESSION_COOKIE, ""))
        response = Response(status_code=204)
        response.delete_cookie(SESSION_COOKIE)
        return response

    async def _api_me(self, request: Request) -> ActorDetails:
        """Who is signed in, what they may do, and a token for requests that change something."""
        return _details(request.state.actor, CsrfTokens(request, self._secret).token)

    async def _open(self, request: Request, email: str, password: str) -> Login:
        address = request.client.host if request.client else None
        await self._throttle.admit(address or "", email)
        login = await self._logins.log_in(
            email, password, ip_address=address, user_agent=request.headers.get("user-agent")
        )
        if login is None:
            raise Problem(401, "wrong_credentials", "The e-mail address or the password is wrong.")
        await self._throttle.forget(email)
        return login

    def _login_page(self, request: Request, email: str = "", problem: Problem | None = None) -> Response:
        page: Response = request.state.render(
            "login.html",
            status=problem.status if problem else 200,
            email=email,
            problem=problem,
            next=_inside(request.query_params.get("next")),
        )
        page.headers.update(problem.headers if problem else {})
        return page


def _details(actor: Actor, token: str) -> ActorDetails:
    return ActorDetails(
        name=actor.name,
        email=actor.email,
        role=actor.role,
        tenant=actor.tenant.slug,
        tenant_name=actor.tenant.name,
        timezone=actor.tenant.timezone,
        permissions=sorted(actor.permissions),
        csrf_token=token,
    )


def _set_cookie(response: Response, request: Request, token: str, expires_at: datetime) -> None:
    response.set_cookie(
        SESSION_COOKIE, token, expires=expires_at, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )


def _inside(target: str | None) -> str:
    """`target` when it is a path of ours, else the first page: a link must not lead to another site after signing in.

    Browsers read a backslash as a slash and drop control characters, so neither may be in it.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return HOME
    if "\\" in target or any(ord(character) < 32 for character in target) or urlsplit(target).netloc:
        return HOME
    return target
