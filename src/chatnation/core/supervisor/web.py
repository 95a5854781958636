"""The child that answers HTTP: `python -m chatnation.core.supervisor.web --role serve --socket 3`."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import click
import uvicorn
import uvloop
from starlette.types import ASGIApp

from chatnation.core.app import App
from chatnation.core.garbage import collect_garbage_rarely
from chatnation.core.settings import Role
from chatnation.core.supervisor.process import run_child
from chatnation.core.supervisor.protocol import announce_ready, on_goodbye
from chatnation.core.web.http import HttpProtocol
from chatnation.core.web.routing import AtOnce

_FINISH_SECONDS = 10


class _Server(uvicorn.Server):
    """Ends the responses that stay open for ever before it waits for the others."""

    def __init__(self, config: uvicorn.Config, app: App) -> None:
        super().__init__(config)
        self._web = app.web

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        announce_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._web.drain()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.should_exit = True


def server_config(asgi: ASGIApp, at_once: Mapping[str, AtOnce] = MappingProxyType({})) -> uvicorn.Config:
    """How an application of ours is served; `at_once` is asked first, by path (see `IngestRoute`)."""
    by_target = {path.encode("ascii"): answer for path, answer in at_once.items()}
    return uvicorn.Config(
        asgi,
        http=partial(HttpProtocol, at_once=by_target),  # type: ignore[arg-type]  # It is called like the class.
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # Core believes the proxies of its settings, no others.
        timeout_graceful_shutdown=_FINISH_SECONDS,
        backlog=4096,
    )


async def serve(app: App, listening: socket.socket) -> None:
    """Answer HTTP on a listening socket until asked to end."""
    async with app.lifespan():
        collect_garbage_rarely()
        server = _Server(server_config(app.web, app.web.at_once), app)

        def stop() -> None:
            server.should_exit = True

        watching = on_goodbye(stop)
        try:
            await server.serve([listening])
        finally:
            watching.cancel()


@click.command()
@click.option("--role", type=Role, required=True)
@click.option("--socket", "descriptor", type=int, required=True)
def main(role: Role, descriptor: int) -> None:
    listening = socket.socket(fileno=descriptor)
    run_child(role, lambda app: serve(app, listening), loop_factory=uvloop.new_event_loop)


if __name__ == "__main__":
    main()
