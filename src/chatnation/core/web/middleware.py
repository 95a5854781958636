"""What every answer of the dashboard and the API gets: a request id, safe headers, and an error that says nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatnation.core.context import nobody_acting
from chatnation.core.errors import Problem
from chatnation.core.ids import uuid7
from chatnation.core.metrics import Metrics
from chatnation.core.web.templating import Renderer

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""No inline script and no inline style anywhere; `data:` pictures are the icons inside Tabler's stylesheet."""

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
STRICT_TRANSPORT = "max-age=31536000"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

ErrorAnswer = Callable[[Request, Exception], Awaitable[Response]]


class RequestId:
    """Names each request, in `scope["state"]["request_id"]` and the `X-Request-ID` header.

    A caller may bring a name of its own, so that one request can be followed through several systems.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = _brought_along(scope) or uuid7().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self.app(scope, receive, send_named)


class SecurityHeaders:
    """Adds the safe headers that an answer does not set itself, and keeps private answers out of caches."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)
            await send(message)

        await self.app(scope, receive, send_safely)


class ErrorBoundary:
    """Turns whatever was raised into the answer that `answer` makes of it, unless one has already begun."""

    def __init__(self, app: ASGIApp, answer: ErrorAnswer) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_watched)
        except Exception as error:
            if begun:
                raise  # Too late to answer; the server closes the connection, so the client sees a broken body.
            response = await self.answer(Request(scope, receive), error)
            await response(scope, receive, send)


class Prepared:
    """Puts `request.state.render` in place for every request, error pages included, and forgets who acted in it."""

    def __init__(self, app: ASGIApp, renderer: Callable[[Request], Renderer]) -> None:
        self.app = app
        self.renderer = renderer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Starlette raises its own 404 and 405, instead of answering them in plain text, where it finds an app.
        scope["app"] = self
        request = Request(scope, receive)
        request.state.render = self.renderer(request)
        with nobody_acting():
            await self.app(scope, receive, send)


class BodyLimit:
    """Raises a 413 once a request's body is longer than `limit` bytes, or than `others` say for its path, whatever its
    headers said.
    """

    def __init__(self, app: ASGIApp, limit: int, others: Mapping[str, int]) -> None:
        self.app = app
        self.limit = limit
        self.others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        limit = self.others.get(scope["path"], self.limit)

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise Problem(413, "body_too_large", f"At most {limit:,} bytes are taken.")
            return message

        await self.app(scope, receive_limited, send)


class Measured:
    """Counts answers by area and status, and how long they took to begin."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        area = _area(scope["path"])
        begun = time.perf_counter()

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.metrics.requests.labels(area, str(message["status"])).inc()
                self.metrics.request_seconds.labels(area).observe(time.perf_counter() - begun)
            await send(message)

        await self.app(scope, receive, send_measured)


def _area(path: str) -> str:
    if path.startswith("/api/"):
        return "api"
    return "other" if path.startswith(("/static/", "/-/", "/v1/")) else "page"


def _brought_along(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            return text if _REQUEST_ID.fullmatch(text) else None
    return None
