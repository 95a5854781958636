"""The servers that are compared: `python -m benchmarks.collector_server product|empty`, settings in the environment.

Both run under uvicorn as `chatnation serve` sets it up. The port is printed once it listens.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import AsyncExitStack
from typing import Any

import uvicorn
import uvloop

from chatnation.core.compose import compose
from chatnation.core.settings import Role, Settings

_ANSWER = b'{"status":"success","accepted":10,"rejected":[]}'


async def empty(scope: Any, receive: Any, send: Any) -> None:
    """The least that an application can do: read the body and answer."""
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})


async def serve(kind: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    async with AsyncExitStack() as stack:
        web: Any = empty
        if kind == "product":
            app = compose(Settings(), role=Role.COLLECT)
            await stack.enter_async_context(app.lifespan())
            web = app.web
        config = uvicorn.Config(
            web,
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
        )
        print(listening.getsockname()[1], flush=True)
        await uvicorn.Server(config).serve([listening])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1]))
