"""Who asks, and whether they may: the checks before every handler."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from chatnation.core.context import Actor
from chatnation.core.errors import Problem
from chatnation.core.hookspecs.auth import check_permission, resolve_actor
from chatnation.core.plugin.boundary import CORE
from chatnation.core.web import csrf
from chatnation.core.web.problems import not_found
from chatnation.core.web.routing import AUTHENTICATED, PUBLIC

if TYPE_CHECKING:
    from chatnation.core.app import App

SESSION_COOKIE = "chatnation_session"
"""Holds the token of a login session."""
VISITOR_COOKIE = "chatnation_visitor"
"""Binds the forms of somebody who has not signed in yet, such as the login form."""

Recognise = Callable[[str], Awaitable[Actor | None]]


class CsrfTokens:
    """The tokens of one request. Asking for `token` makes sure that the browser holds a cookie to check it against."""

    def __init__(self, request: Request, secret: str) -> None:
        self._secret = secret
        self._secure = request.url.scheme == "https"
        self._fresh: str | None = None
        self.binding = request.cookies.get(SESSION_COOKIE) or request.cookies.get(VISITOR_COOKIE)

    @property
    def token(self) -> str:
        """A token for a form or a header; each is different, and each is valid while the cookie is."""
        if not self.binding:
            self.binding = self._fresh = secrets.token_urlsafe(24)
        return csrf.make_token(self._secret, self.binding)

    def remember(self, response: Response) -> None:
        """Set the visitor cookie that a token was made for, if one was made."""
        if self._fresh:
            response.set_cookie(VISITOR_COOKIE, self._fresh, httponly=True, samesite="lax", secure=self._secure)


class Gate:
    """Recognises the actor, and lets the request through or raises a `Problem`.

    In this order: the plugin runs (503), somebody is signed in (401), the tenant has the plugin (404), the actor holds
    the permission (403), a request that changes something is ours (403).
    """

    def __init__(self, app: App, *, secret: str, session: Recognise, key: Recognise) -> None:
        self._app = app
        self._secret = secret
        self._session = session
        self._key = key

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

    async def recognise(self, request: Request) -> Actor | None:
        """Who asks: by key, by login session, or by what a plugin knows. Remembered in `request.state`."""
        state = request.scope.setdefault("state", {})
        if "actor" not in state:
            state["actor"] = await self._recognise(request)
        actor: Actor | None = state["actor"]
        return actor

    async def _recognise(self, request: Request) -> Actor | None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and key:
            request.state.by_key = True
            actor = await self._key(key.strip())
            if actor is None:
                raise Problem(401, "bad_key", "The key is unknown, expired or revoked.")
            return actor
        token = request.cookies.get(SESSION_COOKIE)
        if token and (actor := await self._session(token)):
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
        if permission in {PUBLIC, AUTHENTICATED}:
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
        if not form and SESSION_COOKIE not in request.cookies:
            return  # Nobody to be impersonated, and other sites cannot send JSON without asking first.
        token = request.headers.get(csrf.HEADER)
        if token is None and form:
            field = (await request.form()).get(csrf.FIELD)
            token = field if isinstance(field, str) else None
        csrf.check_token(self._secret, CsrfTokens(request, self._secret).binding, token)


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in {"application/x-www-form-urlencoded", "multipart/form-data"}
