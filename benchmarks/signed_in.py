"""Somebody who is signed in to a server that has just started in this process, and looks at whole pages."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn

from chatnation.core.compose import compose
from chatnation.core.settings import Role, Settings

_LATER = re.compile(r'hx-get="([^"]*/parts/[^"]*)"[^>]*hx-trigger="load')

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


async def whole_page(client: httpx.AsyncClient, path: str) -> float:
    """Milliseconds until a page is whole: what it left for later is fetched side by side, as a browser does."""
    started = time.perf_counter()
    page = (await client.get(path, follow_redirects=True)).raise_for_status().text
    later = [html.unescape(url) for url in _LATER.findall(page)]
    for answer in await asyncio.gather(*map(client.get, later)):
        answer.raise_for_status()
    return (time.perf_counter() - started) * 1000
