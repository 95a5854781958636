"""The way in for events, as plugins see it that speak another protocol."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import Receive, Scope, Send

from chatnation.core.ingestion.exchange import Exchange

Handle = Callable[[Exchange], Awaitable[None]]


class Intake(Protocol):
    """Serves requests that bring events."""

    async def serve(self, scope: Scope, receive: Receive, send: Send, handle: Handle) -> None:
        """Answer one request with `handle(exchange)`.

        A preflight is answered without it. A Problem that it raises becomes an error that the SDKs understand, with
        CORS headers; any other exception is logged and becomes a 500.
        """
        ...
