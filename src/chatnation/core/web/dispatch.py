"""The outermost step: the collector's paths first, everything else to the dashboard and the API."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Iterator

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chatnation.core.web.routing import IngestRoute


class ExactPaths:
    """Hands a request whose path is one of the collector's straight to its ASGI application, one dict lookup away.

    No middleware is around these: they are the hot path, and take care of errors, CORS and limits themselves. For the
    same reason this gives the application's coroutine on and is none of its own. Paths
    with a parameter are tried after the exact ones; what it stands for is in `scope["path_params"]`.
    """

    def __init__(self, routes: Iterable[IngestRoute], otherwise: ASGIApp) -> None:
        self._apps: dict[tuple[str, str], ASGIApp] = {}
        self._allowed: dict[str, list[str]] = {}
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for route in routes:
            if "{" in route.path and route.path not in self._allowed:
                self._patterns.append((_pattern(route.path), route.path))
            for method in route.methods:
                self._apps[route.path, method] = route.app
                self._allowed.setdefault(route.path, []).append(method)
        self._otherwise = otherwise

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            path = scope["path"]
            app = self._apps.get((path, scope["method"]))
            if app is not None:
                return app(scope, receive, send)
            if path in self._allowed:
                return _not_allowed(self._allowed[path])(scope, receive, send)
            for template, parameters in self._templates(path):
                app = self._apps.get((template, scope["method"]), _not_allowed(self._allowed[template]))
                return app({**scope, "path_params": parameters}, receive, send)
        return self._otherwise(scope, receive, send)

    def _templates(self, path: str) -> Iterator[tuple[str, dict[str, str]]]:
        for pattern, template in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                yield template, match.groupdict()


def _pattern(path: str) -> re.Pattern[str]:
    """What `path` matches, each `{name}` standing for one segment."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))


def _not_allowed(methods: list[str]) -> ASGIApp:
    headers = {"Allow": ", ".join(sorted(methods)), "Access-Control-Allow-Origin": "*"}
    sentence = "This address does not take that method."
    body = {"code": "method_not_allowed", "message": sentence, "error": sentence}
    return JSONResponse(body, status_code=405, headers=headers)
