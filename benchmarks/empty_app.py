"""An application that does nothing, served the way our web process is: `python -m benchmarks.empty_app DESCRIPTOR`."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from chatnation.core.garbage import collect_garbage_rarely
from chatnation.core.supervisor.web import server_config

_BODY = b'{"status":"success"}'
_HEAD = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the request and answer, whatever was asked."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEAD})
    await send({"type": "http.response.body", "body": _BODY})


if __name__ == "__main__":
    collect_garbage_rarely()
    listening = socket.socket(fileno=int(sys.argv[1]))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(server_config(app)).serve([listening]))
