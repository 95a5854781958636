"""A browser of somebody who is signed in to a server that has just started in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn

from chatnation.core.compose import compose
from chatnation.core.settings import Role, Settings

EMAIL, PASSWORD = "admin@example.org", "correct horse battery staple"


@asynccontextmanager
async def signed_in(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the dashboard, logged in as `EMAIL`."""
    app = compose(settings, role=Role.SERVE)
    server = uvicorn.Server(uvicorn.Config(app.web, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            login = await client.post("/api/auth/login", json={"email": EMAIL, "password": PASSWORD})
            login.raise_for_status()
            yield client
    finally:
        server.should_exit = True
        await serving
