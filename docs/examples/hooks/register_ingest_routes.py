from collections.abc import Iterable

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from chatnation import IngestRoute, Plugin, hookimpl


async def ping(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("pong")(scope, receive, send)


class PingPlugin(Plugin):
    """Ping"""

    name = "ping"

    @hookimpl
    def register_ingest_routes(self) -> Iterable[IngestRoute]:
        return [IngestRoute("/v1/ping", ping, methods=("GET",))]
