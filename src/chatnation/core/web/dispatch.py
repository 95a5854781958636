"""The outermost step: the collector's exact paths first, everything else to the dashboard and the API."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation.core.web.routing import IngestRoute


class ExactPaths:
    """Hands a request whose path is one of the collector's straight to its ASGI application, one dict lookup away.

    No middleware is around these: they are the hot path, and take care of errors, CORS and limits themselves.
    """

    def __init__(self, routes: Iterable[IngestRoute], otherwise: ASGIApp) -> None:
        self._apps: dict[tuple[str, str], ASGIApp] = {}
        self._allowed: dict[str, list[str]] = {}
        for route in routes:
            for method in route.methods:
                self._apps[route.path, method] = route.app
                self._allowed.setdefault(route.path, []).append(method)
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            app = self._apps.get((path, scope["method"]))
            if app is not None:
                await app(scope, receive, send)
                return
            if path in self._allowed:
                await _not_allowed(self._allowed[path])(scope, receive, send)
                return
        await self._otherwise(scope, receive, send)


def _not_allowed(methods: list[str]) -> ASGIApp:
    headers = {"Allow": ", ".join(sorted(methods)), "Access-Control-Allow-Origin": "*"}
    body = {"code": "method_not_allowed", "message": "This address does not take that method."}
    return JSONResponse(body, status_code=405, headers=headers)
