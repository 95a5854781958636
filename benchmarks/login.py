"""What it costs to know who asks: a route that needs a permission against the same route made public."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
import uvicorn
from sqlalchemy import event
from starlette.requests import Request

from benchmarks.figures import Figure
from benchmarks.servers import own_servers
from chatnation import PUBLIC, App, Plugin, Route, hookimpl
from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.tenancy import create_tenant
from chatnation.core.auth.users import create_user
from chatnation.core.compose import compose
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.settings import Role
from chatnation.core.storage.migrations import histories, upgrade

GOAL_MS = 2.0
GOAL_QUERIES = 2
EMAIL, PASSWORD = "admin@example.org", "correct horse battery staple"
OPEN, CLOSED = "/api/clock/open", "/api/clock/closed"


class ClockPlugin(Plugin):
    """Clock

    The same answer twice, once for everybody.
    """

    name = "clock"

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Route("GET", "/open", tell, PUBLIC), Route("GET", "/closed", tell, "settings.manage")]


async def tell(request: Request) -> dict[str, bool]:
    """Something that needs no database."""
    return {"ticking": True}


async def run(quick: bool) -> list[Figure]:
    """Milliseconds at the median, taken in turns on one connection, and queries of a first and of a later request.

    The statement that opens every transaction is not counted, nor are those of the tasks that run beside.
    """
    rounds = 300 if quick else 5_000
    with own_servers() as settings:
        app = compose(settings, role=Role.SERVE, plugins=[ClockPlugin])
        await upgrade(app.storage, histories([ClockPlugin]), Boundary())
        async with _served(app) as address, httpx.AsyncClient(base_url=address) as stranger:
            headers = await _credentials(app, stranger)
            figures = []
            for name, sent in headers.items():
                figures += await _measure(app, address, name, sent, rounds)
            return figures


async def _measure(app: App, address: str, name: str, headers: dict[str, str], rounds: int) -> list[Figure]:
    async with httpx.AsyncClient(base_url=address, headers=headers) as client:
        await app.versions.poll()
        first = await _queries(app, client)
        later = await _queries(app, client)
        open_ms, closed_ms = [], []
        for _ in range(rounds):
            open_ms.append(await _milliseconds(client, OPEN, {"Authorization": "", "Cookie": ""}))
            closed_ms.append(await _milliseconds(client, CLOSED, {}))
    cost = statistics.median(closed_ms) - statistics.median(open_ms)
    return [
        Figure(f"{name}: public route, median", statistics.median(open_ms), "ms"),
        Figure(f"{name}: the same for whoever may", statistics.median(closed_ms), "ms"),
        Figure(f"{name}: difference", cost, "ms", goal=GOAL_MS, at_most=True),
        Figure(f"{name}: queries of the first request", first, "", goal=GOAL_QUERIES, at_most=True),
        Figure(f"{name}: queries of a later request", later, "", goal=GOAL_QUERIES, at_most=True),
    ]


async def _milliseconds(client: httpx.AsyncClient, path: str, headers: dict[str, str]) -> float:
    started = time.perf_counter()
    answer = await client.get(path, headers=headers)
    taken = (time.perf_counter() - started) * 1000
    answer.raise_for_status()
    return taken


async def _queries(app: App, client: httpx.AsyncClient) -> int:
    statements: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "set_config" not in statement and "cache_versions" not in statement:
            statements.append(statement)

    engine = app.storage.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        (await client.get(CLOSED)).raise_for_status()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(statements)


async def _credentials(app: App, client: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    """The headers of each way to say who one is."""
    async with app.storage.system("make a tenant for a benchmark") as connection:
        tenant = await create_tenant(connection, "Benchmark")
        password_hash = await hash_password(PASSWORD, rounds=4)
        await create_user(connection, tenant.id, EMAIL, "Somebody", RoleName.SUPER_ADMIN, password_hash)
        key = await create_key(connection, tenant.id, "Report", KeyType.READ, scopes=["settings.manage"])
    who = {"email": EMAIL, "password": PASSWORD}
    tokens = (await client.post("/api/auth/token", json=who)).json()
    me = (await client.post("/api/auth/login", json=who)).json()
    cookie = f"chatnation_session={client.cookies['chatnation_session']}"
    wanted = {"name": "Report", "scopes": ["settings.manage"]}
    made = await client.post("/api/auth/tokens", json=wanted, headers={"X-CSRF-Token": me["csrf_token"]})
    return {
        "login in a browser": {"Cookie": cookie},
        "access token": {"Authorization": f"Bearer {tokens['access_token']}"},
        "personal token": {"Authorization": f"Bearer {made.json()['token']}"},
        "read key": {"Authorization": f"Bearer {key.secret}"},
    }


@asynccontextmanager
async def _served(app: App) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app.web, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
