"""What a process does for ingestion: made with the core's routes, put to work when the app starts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from chatnation.core import tasks
from chatnation.core.auth.key_cache import KeyCache
from chatnation.core.errors import Problem, QueueUnavailable
from chatnation.core.ingestion import answers
from chatnation.core.ingestion.body import ClientGone
from chatnation.core.ingestion.capture import capture, capture_at_once
from chatnation.core.ingestion.collector import Collector
from chatnation.core.ingestion.exchange import Exchange
from chatnation.core.ingestion.intake import Handle
from chatnation.core.ingestion.ledger_copy import LedgerCopier
from chatnation.core.ingestion.ledger_notes import LedgerNotes
from chatnation.core.ingestion.limits import SharedLimits
from chatnation.core.ingestion.publisher import Publisher
from chatnation.core.settings import Role
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.web.routing import IngestRoute, Respond

if TYPE_CHECKING:
    from chatnation.core.app import App

_READY_SECONDS = 3.0


class Ingestion:
    """The `Intake` of a process, the collector's own routes, and the ledger's errands. Answers 503 until `start`."""

    def __init__(self) -> None:
        self._collector: Collector | None = None
        self._app: App | None = None
        self._stack = AsyncExitStack()

    async def start(self, app: App) -> None:
        """Begin to do what belongs to the role of the process."""
        self._app = app
        if app.role in {Role.ALL, Role.PROCESS}:
            self._beside(LedgerCopier(app.redis, app.storage, app.settings.stream_partitions).run())
        if app.role in {Role.ALL, Role.COLLECT}:
            await self._collect(app)

    async def stop(self) -> None:
        """Take nothing more, and write down what was noted in the background."""
        self._collector = None
        await self._stack.aclose()

    def routes(self) -> Iterable[IngestRoute]:
        """The collector's own paths."""
        return (
            IngestRoute("/v1/capture", partial(self.serve, handle=capture), at_once=self._capture_at_once),
            IngestRoute("/v1/health", self._health, ("GET", "HEAD")),
            IngestRoute("/v1/ready", self._ready, ("GET", "HEAD")),
        )

    async def serve(self, scope: Scope, receive: Receive, send: Send, handle: Handle) -> None:
        """See `Intake`."""
        if self._collector is None:
            await _unavailable(send)
            return
        exchange = Exchange(self._collector, scope, receive, send)
        if scope["method"] == "OPTIONS":
            await exchange.preflight()
            return
        try:
            await handle(exchange)
        except Problem as problem:
            await exchange.fail(problem)
        except ClientGone:
            return
        except Exception as error:
            await exchange.crash(error)

    async def _collect(self, app: App) -> None:
        keys = KeyCache(app.storage, app.clock)
        await keys.start(app.versions)
        self._stack.push_async_callback(keys.stop)
        notes = LedgerNotes(app.redis)
        self._collector = Collector(
            settings=app.settings,
            keys=keys,
            publisher=Publisher(app.queue),
            notes=notes,
            clock=app.clock,
            metrics=app.metrics,
        )
        limits = self._collector.limits
        self._beside(notes.run())
        self._beside(SharedLimits(app.redis, limits.by_address, limits.by_key).run())

    def _capture_at_once(self, scope: Scope, body: bytes, respond: Respond) -> bool:
        return self._collector is not None and capture_at_once(self._collector, scope, body, respond)

    async def _health(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The process lives; whatever else may be the matter."""
        await _tell(send, 200, {"status": "ok"})

    async def _ready(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Whether events can be taken and kept: the stream answers and has room, and so does the database."""
        if self._app is None or self._collector is None:
            await _unavailable(send)
            return
        try:
            async with asyncio.timeout(_READY_SECONDS):
                checks = {"stream": await _check_stream(self._app), "database": await _check_database(self._app)}
        except TimeoutError:
            checks = {"stream": "no answer in time"}
        ready = all(found == "ok" for found in checks.values())
        await _tell(send, 200 if ready else 503, {"status": "ok" if ready else "unavailable", "checks": checks})

    def _beside(self, work: Any) -> None:
        self._stack.push_async_callback(tasks.end, asyncio.create_task(work))


async def _check_stream(app: App) -> str:
    try:
        waiting = sum((await app.queue.depth()).values())
    except (QueueUnavailable, RedisError, OSError):
        return "out of reach"
    return "ok" if waiting < app.settings.stream_max_events * app.settings.stream_partitions else "full"


async def _check_database(app: App) -> str:
    try:
        async with app.storage.system("readiness") as connection:
            await connection.execute(text("SELECT 1"))
    except DatabaseUnavailable:
        return "out of reach"
    return "ok"


async def _tell(send: Send, status: int, value: dict[str, Any]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    await answers.send_value(send, status, {**value, "version": version("chatnation"), "timestamp": now})


async def _unavailable(send: Send) -> None:
    problem = Problem(503, "unavailable", "This process takes no events now.", headers={"Retry-After": "5"})
    await answers.send_value(send, 503, answers.error_body(problem, ""), answers.problem_headers(problem))
