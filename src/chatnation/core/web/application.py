"""The web application of one process: collector, dashboard and API, as far as its role serves them."""

from __future__ import annotations

import asyncio
import functools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Router
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation.core.errors import ConfigurationError
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.conflicts import page_path, prefixes, route_path
from chatnation.core.plugin.resources import Registered
from chatnation.core.settings import Role
from chatnation.core.web import areas
from chatnation.core.web.access import Gate
from chatnation.core.web.accounts import own
from chatnation.core.web.accounts.answers import Answers
from chatnation.core.web.accounts.parts import AccountParts
from chatnation.core.web.assets import Assets
from chatnation.core.web.dispatch import ExactPaths
from chatnation.core.web.endpoints import Endpoints
from chatnation.core.web.errors import ErrorAnswers
from chatnation.core.web.frame import PageFrame
from chatnation.core.web.icons import Icons
from chatnation.core.web.introspection import introspection_routes
from chatnation.core.web.live import LiveHub
from chatnation.core.web.middleware import BodyLimit, ErrorBoundary, Measured, Prepared, RequestId, SecurityHeaders
from chatnation.core.web.openapi import MountedRoute, openapi_document
from chatnation.core.web.proxies import TrustedProxies
from chatnation.core.web.routing import AtOnce, Route
from chatnation.core.web.templating import Renderer, Templates, plugin_folder

if TYPE_CHECKING:
    from chatnation.core.app import App

MAX_BODY_BYTES = 10_000_000
"""Largest body that the dashboard and the API take; the collector has a limit of its own."""


def build_web(app: App) -> WebApplication:
    """The web application of `app`'s role. Nothing is opened before its lifespan starts."""
    live = LiveHub(app.redis)
    app.services.offer(CORE, LiveHub, live)
    serves, collects = app.role in {Role.ALL, Role.SERVE}, app.role in {Role.ALL, Role.COLLECT}
    secret = _secret_key(app, needed=serves)
    inner = _Dashboard(app, live, AccountParts(app, secret=secret), serves=serves).asgi()
    ingest = [entry.item for entry in app.resources.ingest_routes] if collects else []
    asgi: ASGIApp = ExactPaths(ingest, inner)
    at_once = {route.path: route.at_once for route in ingest if route.at_once is not None}
    if app.settings.trusted_proxies:
        proxied = TrustedProxies(asgi, app.settings.trusted_proxies)
        asgi, at_once = proxied, {path: proxied.at_once(answer) for path, answer in at_once.items()}
    return WebApplication(app, asgi, live, at_once)


class WebApplication:
    """An ASGI application whose lifespan is the app's.

    `live` is its hub of open event streams, `at_once` what our own server asks first, by path; see `IngestRoute`.
    """

    def __init__(self, app: App, asgi: ASGIApp, live: LiveHub, at_once: Mapping[str, AtOnce]) -> None:
        self._app = app
        self._asgi = asgi
        self._router = Router(lifespan=self._lifespan)
        self.live = live
        self.at_once = at_once

    def drain(self) -> None:
        """End the responses that would stay open for ever. Call it when the server is told to stop."""
        self.live.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._asgi(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._router(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Any) -> AsyncIterator[None]:
        async with self._app.lifespan():
            try:
                yield
            finally:
                self.drain()


class _Dashboard:
    """Pages, API, static files and introspection behind their middleware."""

    def __init__(self, app: App, live: LiveHub, parts: AccountParts, *, serves: bool) -> None:
        self._app = app
        self._live = live
        self._serves = serves
        self._parts = parts
        self._gate = Gate(app, secret=parts.secret, cookie=parts.by_cookie, bearer=parts.by_bearer)
        static = _folders(app, "static")
        self._assets = Assets(static)
        self._templates = Templates(
            _folders(app, "templates").values(), {"asset": self._assets.address, "icon": Icons(static.values())}
        )
        self._frame = PageFrame(app, secret=parts.secret)
        self._answers = Answers(secret=parts.secret, clock=app.clock)
        self._endpoints = Endpoints(self._gate.admit, self._gate.still_admits, app.boundary)
        self._errors = ErrorAnswers(self._gate, app.hooks)

    def asgi(self) -> ASGIApp:
        """The routes inside their middleware, written from the inside out."""
        asgi: ASGIApp = Router(self._routes(), redirect_slashes=False)
        for entry in sorted(self._app.resources.middleware, key=lambda entry: -entry.item.order):
            asgi = entry.item.factory(asgi, **entry.item.options)
        asgi = BodyLimit(asgi, MAX_BODY_BYTES, self._longer_bodies())
        asgi = ErrorBoundary(asgi, self._errors.answer)
        asgi = Prepared(asgi, self._renderer)
        asgi = GZipMiddleware(asgi, minimum_size=1_000, compresslevel=5)
        asgi = SecurityHeaders(asgi)
        asgi = Measured(asgi, self._app.metrics)
        return RequestId(asgi)

    def _renderer(self, request: Request) -> Renderer:
        return Renderer(self._templates, self._frame, request)

    def _longer_bodies(self) -> dict[str, int]:
        """How long a body may be, by path, where a plugin says so."""
        prefix, resources = prefixes(self._app.inventory), self._app.resources
        limits = [(route_path(entry.item, prefix(entry.plugin)), entry.item.max_bytes) for entry in resources.routes]
        limits += [(page_path(entry.item, prefix(entry.plugin)), entry.item.max_bytes) for entry in resources.pages]
        return {path: limit for path, limit in limits if limit is not None}

    def _routes(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = [*introspection_routes(self._app, self._gate)]
        if self._serves:
            routes.append(StarletteRoute("/static/{plugin}/{version}/{path:path}", self._assets.serve))
            routes.extend(self._pages())
            routes.extend(self._api())
        return routes

    def _pages(self) -> Iterator[BaseRoute]:
        prefix = prefixes(self._app.inventory)
        core = [
            Registered(CORE, page)
            for page in (*own.pages(self._parts, self._answers), *areas.pages(self._app, self._answers))
        ]
        mounted = [
            (page_path(entry.item, prefix(entry.plugin)), entry) for entry in (*core, *self._app.resources.pages)
        ]
        for path, entry in sorted(mounted, key=lambda pair: _specificity(pair[0])):
            yield StarletteRoute(path, self._endpoints.page(entry), methods=list(entry.item.methods))

    def _api(self) -> Iterator[BaseRoute]:
        prefix = prefixes(self._app.inventory)
        served = (*own.routes(self._parts, self._answers), *areas.routes(self._app, self._answers), self._live_route())
        core = [Registered(CORE, route) for route in served]
        mounted = [
            (route_path(entry.item, prefix(entry.plugin)), entry) for entry in (*core, *self._app.resources.routes)
        ]
        yield StarletteRoute("/api/openapi.json", _description(mounted))
        for path, entry in sorted(mounted, key=lambda pair: _specificity(pair[0])):
            yield StarletteRoute(path, self._endpoints.route(entry), methods=[entry.item.method])

    def _live_route(self) -> Route:
        async def stream(request: Request) -> Response:
            """Messages about what happens now, as server-sent events; `Last-Event-ID` resumes."""
            return self._live.response(request, request.state.actor.tenant.id)

        return Route("GET", "/live", stream, "analytics.view")


def _description(mounted: Sequence[MountedRoute]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that describes the API. It writes the document when it is first asked: that takes half a second."""
    write = functools.cache(functools.partial(openapi_document, mounted, version=version("chatnation")))

    async def describe(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(write), headers={"Cache-Control": "no-cache"})

    return describe


def _secret_key(app: App, *, needed: bool) -> str:
    """The instance's secret. A process that only collects makes no forms, so one of its own will do."""
    if app.settings.secret_key is not None:
        return app.settings.secret_key.get_secret_value()
    if needed:
        raise ConfigurationError(
            "CHATNATION_SECRET_KEY is not set; make one with"
            " `python -c 'import secrets; print(secrets.token_urlsafe(32))'` and give it to every process"
        )
    return secrets.token_urlsafe(32)


def _folders(app: App, name: str) -> dict[str, Path]:
    """The folder `name` of each plugin that has one."""
    plugins = [record.plugin for record in app.inventory.active() if record.plugin is not None]
    found = {plugin.name: plugin_folder(plugin, name) for plugin in plugins}
    return {plugin: folder for plugin, folder in found.items() if folder is not None}


def _specificity(path: str) -> tuple[bool, int]:
    """Sorts fixed paths before those with parameters, and deeper ones first, so that none hides another."""
    return "{" in path, -path.count("/")
