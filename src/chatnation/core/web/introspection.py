"""`/-/plugins`, `/-/health`, `/-/metrics`, `/-/versions`, for an operator's tools. Nothing secret in any of them."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Awaitable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pydantic_core
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatnation.core.hookspecs.lifecycle import Health, check_health
from chatnation.core.plugin.base import API_VERSION
from chatnation.core.plugin.inventory import State
from chatnation.core.plugin.reporting import details, summaries

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.web.access import Gate

CHECK_SECONDS = 5.0
"""A check that takes longer counts as not healthy."""

LIBRARIES = ("starlette", "uvicorn", "sqlalchemy", "asyncpg", "redis", "msgspec", "pydantic", "pluggy", "pgqueuer")


def introspection_routes(app: App, gate: Gate) -> list[Route]:
    """Routes to be mounted beside the dashboard; they ask nobody to sign in.

    Who holds `instance.view` is told more of plugins: the text of errors, and everything that each registered.
    """

    async def plugins(request: Request) -> Response:
        actor = await gate.recognise(request)
        if actor is not None and actor.can("instance.view"):
            return _json([details(record, app.resources) for record in app.inventory])
        return _json(summaries(app.inventory))

    async def health(request: Request) -> Response:
        report = await health_report(app)
        return _json(report, status=503 if report["status"] == "down" else 200)

    async def metrics(request: Request) -> Response:
        figures = generate_latest(await app.metrics.of_all_processes(app.redis))
        return Response(figures, media_type=CONTENT_TYPE_LATEST)

    async def versions(request: Request) -> Response:
        return _json(version_report(app))

    return [
        Route(f"/-/{endpoint.__name__}", endpoint, methods=["GET"]) for endpoint in (plugins, health, metrics, versions)
    ]


async def health_report(app: App) -> dict[str, Any]:
    """How the instance is: `ok`, `degraded` when a plugin is not well, `down` when database or stream is away.

    `database`, `stream` and each of `plugins` have `ok` and `detail`.
    """
    database, stream = await asyncio.gather(_checked(_database(app)), _checked(_stream(app)))
    plugins = {
        outcome.plugin: outcome.value or Health(False, "the check failed")
        for outcome in await app.hooks.gather(check_health, app)
    }
    for record in app.inventory:
        if record.state is not State.DISABLED:
            plugins.setdefault(record.name, Health(record.state is State.ACTIVE, record.reason))
    well = all(plugin.ok for plugin in plugins.values())
    return {
        "status": "down" if not (database.ok and stream.ok) else "ok" if well else "degraded",
        "database": database,
        "stream": stream,
        "plugins": plugins,
    }


def version_report(app: App) -> dict[str, Any]:
    """Versions of the product, its plugins and the libraries that matter."""
    return {
        "chatnation": version("chatnation"),
        "api_version": API_VERSION,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "plugins": {summary["name"]: summary["version"] for summary in summaries(app.inventory)},
    }


async def _database(app: App) -> str:
    async with app.storage.system("health check") as connection:
        return f"PostgreSQL {await connection.scalar(text('SHOW server_version'))}"


async def _stream(app: App) -> str:
    depth = await app.queue.depth()
    return f"{sum(depth.values())} events wait in {len(depth)} partitions"


async def _checked(check: Awaitable[str]) -> Health:
    """The outcome of a check; the error's text stays in the log, because it may hold an address with a password."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return Health(True, await check)
    except Exception as error:
        return Health(False, f"it cannot be reached ({type(error).__name__})")


def _json(content: Any, *, status: int = 200) -> Response:
    return Response(pydantic_core.to_json(content), status_code=status, media_type="application/json")
