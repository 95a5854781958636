"""Who asks, and whether they may: the checks before every handler."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.context import Actor, act_as
from chatnation.core.errors import Problem
from chatnation.core.hookspecs.auth import check_permission, resolve_actor
from chatnation.core.plugin.boundary import CORE
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.web import csrf
from chatnation.core.web.cookies import SESSION_COOKIE, VISITOR_COOKIE, read_cookie, set_cookie
from chatnation.core.web.problems import not_found
from chatnation.core.web.routing import AUTHENTICATED, LIMITED, PUBLIC

if TYPE_CHECKING:
    from chatnation.core.app import App

SET_UP_FIRST = "second_factor_setup_required"
"""Code of the answer to somebody whose tenant asks for a second factor that they do not have."""
FRESH_LOGIN = "fresh_login_needed"
"""Code of the answer to somebody who has to show once more who they are; pages lead to `CONFIRM_PATH` then."""
CONFIRM_PATH = "/login/confirm"
POLL_HEADER = "X-Requested-With"
POLL = "poll"
"""What a page of ours sends in `POLL_HEADER` when it asks for news by itself; that is nobody's activity."""


FRESH = timedelta(minutes=10)
"""For so long what is dangerous does not ask again who one is."""


class RecogniseCookie(Protocol):
    """Finds who has the login of a cookie; `active` when the request is somebody's doing."""

    def __call__(self, token: str, *, active: bool) -> Awaitable[Actor | None]: ...


RecogniseBearer = Callable[[str], Awaitable[Actor | None]]


class CsrfTokens:
    """The tokens of one request. Asking for `token` makes sure that the browser holds a cookie to check it against."""

    def __init__(self, request: Request, secret: str) -> None:
        self._secret = secret
        self._request = request
        self._fresh: str | None = None
        self.binding = read_cookie(request, SESSION_COOKIE) or read_cookie(request, VISITOR_COOKIE)

    @property
    def token(self) -> str:
        """A token for a form or a header; each is different, and each is valid while the cookie is."""
        if not self.binding:
            self.binding = self._fresh = secrets.token_urlsafe(24)
        return csrf.make_token(self._secret, self.binding)

    def remember(self, response: Response) -> None:
        """Set the visitor cookie that a token was made for, if one was made."""
        if self._fresh:
            set_cookie(response, self._request, VISITOR_COOKIE, self._fresh)


class Gate:
    """Recognises the actor, and lets the request through or raises a `Problem`.

    In this order: the plugin runs (503), somebody is signed in (401), the tenant has the plugin (404), the actor holds
    the permission (403), a request that changes something is ours (403).
    """

    def __init__(self, app: App, *, secret: str, cookie: RecogniseCookie, bearer: RecogniseBearer) -> None:
        self._app = app
        self._secret = secret
        self._cookie = cookie
        self._bearer = bearer

    async def admit(self, request: Request, plugin: str, permission: str) -> None:
        """Raise unless the request may reach a handler of `plugin` that demands `permission`."""
        self._check_runs(plugin)
        actor = await self.recognise(request)
        if actor is None:
            if permission != PUBLIC:
                raise Problem(401, "not_signed_in", "Sign in first.")
        else:
            if plugin != CORE and plugin not in self._app.enabled(actor.tenant.id):
                raise not_found()
            await self._check_permission(actor, permission)
        await self._check_forgery(request)
        act_as(actor)

    async def still_admits(self, request: Request, plugin: str, permission: str) -> bool:
        """Whether a request that was let in some time ago would be let in now, as the same actor at the same tenant."""
        before: Actor | None = request.state.actor
        if before is None:
            return permission == PUBLIC
        try:
            self._check_runs(plugin)
            now = await self._recognise(request, active=False)
            if now is None or (now.tenant.id, now.user_id, now.key_id) != (
                before.tenant.id,
                before.user_id,
                before.key_id,
            ):
                return False
            if plugin != CORE and plugin not in self._app.enabled(now.tenant.id):
                return False
            await self._check_permission(now, permission)
        except (Problem, DatabaseUnavailable):
            return False
        return True

    async def recognise(self, request: Request) -> Actor | None:
        """Who asks: by key or token, by login, or by what a plugin knows. Remembered in `request.state`."""
        state = request.scope.setdefault("state", {})
        if "actor" not in state:
            state["actor"] = await self._recognise(request, active=is_activity(request))
        actor: Actor | None = state["actor"]
        return actor

    async def _recognise(self, request: Request, *, active: bool) -> Actor | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and key:
            request.state.by_key = True
            actor = await self._bearer(key.strip())
            if actor is None:
                raise Problem(401, "bad_key", "The key or token is unknown, expired or revoked.")
            return actor
        token = read_cookie(request, SESSION_COOKIE)
        if token and (actor := await self._cookie(token, active=active)):
            return actor
        outcome = await self._app.hooks.first(resolve_actor, request)
        return outcome.value if outcome else None

    def _check_runs(self, plugin: str) -> None:
        if plugin != CORE and not self._app.inventory.runs(plugin):
            raise Problem(
                503,
                "plugin_unavailable",
                f"The part of the product called {plugin} is not running now.",
                headers={"Retry-After": "60"},
            )

    async def _check_permission(self, actor: Actor, permission: str) -> None:
        if permission in {PUBLIC, LIMITED}:
            return
        if actor.limited:
            raise Problem(403, SET_UP_FIRST, "Set up a second factor first; your organisation asks for one.")
        if permission == AUTHENTICATED:
            return
        if actor.can_somewhere(permission):
            hooks = self._app.hooks.only(self._app.enabled(actor.tenant.id))
            vetoes = await hooks.gather(check_permission, actor, permission)
            if all(veto.ok and veto.value is not False for veto in vetoes):
                return
        raise Problem(403, "forbidden", f"This needs the permission {permission}.")

    async def _check_forgery(self, request: Request) -> None:
        if request.method in csrf.SAFE_METHODS or getattr(request.state, "by_key", False):
            return
        csrf.check_origin(request, self._app.settings.public_url)
        form = _is_form(request)
        if not form and (request.state.actor is None or read_cookie(request, SESSION_COOKIE) is None):
            return  # Nobody to be impersonated, and other sites cannot send JSON without asking first.
        token = request.headers.get(csrf.HEADER)
        if token is None and form:
            field = (await request.form()).get(csrf.FIELD)
            token = field if isinstance(field, str) else None
        csrf.check_token(self._secret, CsrfTokens(request, self._secret).binding, token)


def check_fresh(actor: Actor, now: datetime, within: timedelta = FRESH) -> None:
    """Raise a 403 unless the actor showed who they are not longer than `within` ago, by a login or by confirming it."""
    if actor.confirmed_at is None or now - actor.confirmed_at > within:
        raise Problem(403, FRESH_LOGIN, "Show once more who you are: give your password or a code, then try again.")


def is_activity(request: Request) -> bool:
    """Whether somebody does something, as against an open page that asks for news by polling or server-sent events.

    Pages say so with the header `X-Requested-With: poll`; browsers ask for event streams in `Accept`.
    """
    if request.headers.get(POLL_HEADER, "").lower() == POLL:
        return False
    return "text/event-stream" not in request.headers.get("accept", "")


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"application/x-www-form-urlencoded", "multipart/form-data"}
