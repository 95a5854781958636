from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatnation import Middleware, Plugin, hookimpl


class Teapot:
    """Adds a header to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-teapot", b"short and stout")]
            await send(message)

        await self.app(scope, receive, send_with_header)


class TeapotPlugin(Plugin):
    """Teapot"""

    name = "teapot"

    @hookimpl
    def register_middleware(self) -> Iterable[Middleware]:
        return [Middleware(Teapot)]
