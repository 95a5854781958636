"""Requests that the collector takes, against an application that does nothing and against the stream alone.

All checks are on: key, origin, rate limits (far away), validation, masking of addresses, ledger. The stream writes its
log before it answers. In the comparisons the kernel brings that to the disk when it likes; at the end are figures with
the embedded server's own setting, which waits for the disk. Rounds come in turns, so that all meet the same machine.
The load generator is a process of its own beside them; nothing reads the stream meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from pydantic import SecretStr
from redis import Redis

from benchmarks.figures import Figure
from benchmarks.load import ORIGIN, Generator, capture_request
from benchmarks.servers import SECRET
from benchmarks.traffic import Visitors
from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.tenancy import create_project, create_tenant
from chatnation.core.compose import compose
from chatnation.core.embedded import EmbeddedServers, ServerUrls
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.queue import keys
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.migrations import histories, upgrade

GOALS = {1: 0.45, 10: 0.35, 50: None}
"""Events a request, and the least share of the empty application's requests."""
SYNCED_EVENTS = 10
CONNECTIONS = 64
BODIES = 300
ADDED_AT_ONCE = 100
LIMITS = {
    "CHATNATION_RATE_LIMIT_PER_IP": "100000000",
    "CHATNATION_RATE_LIMIT_PER_KEY": "100000000",
    "CHATNATION_STREAM_MAX_EVENTS": "100000000",
}
STOP_SECONDS = 20.0


async def run(quick: bool) -> list[Figure]:
    """Rounds in turns; the middle of the ratios counts."""
    rounds, seconds = (3, 1.0) if quick else (7, 4.0)
    async with _bench() as bench:
        figures: list[Figure] = []
        bench.sync_log("no")
        for events, goal in GOALS.items():
            figures += await _compare(bench, events, goal, rounds, seconds)
        bench.sync_log("always")
        figures += await _with_synced_log(bench, rounds, seconds / 2)
    return figures


async def _compare(bench: _Bench, events: int, goal: float | None, rounds: int, seconds: float) -> list[Figure]:
    visitors = Visitors()
    bodies = [visitors.batch(events, bench.write_key) for _ in range(BODIES)]
    requests = bench.generator.prepare(str(events), [capture_request(body, bench.write_key) for body in bodies])
    for warm_up in (bench.collector, bench.empty):
        await bench.load(warm_up, requests, 0.5)
    collector, empty, stream = [], [], []
    for _ in range(rounds):
        empty.append(await bench.load(bench.empty, requests, seconds / 2))
        collector.append(await bench.load(bench.collector, requests, seconds))
        empty[-1] = (empty[-1] + await bench.load(bench.empty, requests, seconds / 2)) / 2
        stream.append(bench.append(bodies, seconds / 2))
    name = f"{'1 event' if events == 1 else f'{events} events'} a request, log not synced"
    return [
        Figure(f"{name}: collector", median(collector), "requests/s"),
        Figure(f"{name}: collector", median(collector) * events, "events/s"),
        Figure(f"{name}: empty app", median(empty), "requests/s"),
        Figure(f"{name}: XADD alone", median(stream), "entries/s"),
        Figure(f"{name}: ratio to empty app", _ratio(collector, empty), "", goal=goal),
        Figure(f"{name}: ratio to XADD alone", _ratio(collector, stream), ""),
    ]


async def _with_synced_log(bench: _Bench, rounds: int, seconds: float) -> list[Figure]:
    """What is left when each answer waits for the disk; told without a goal, since the disk decides it."""
    bodies = [Visitors().batch(SYNCED_EVENTS, bench.write_key) for _ in range(BODIES)]
    requests = bench.generator.prepare("synced", [capture_request(body, bench.write_key) for body in bodies])
    collector, stream = [], []
    for _ in range(rounds):
        collector.append(await bench.load(bench.collector, requests, seconds))
        stream.append(bench.append(bodies, seconds))
    name = f"{SYNCED_EVENTS} events a request, log synced"
    return [
        Figure(f"{name}: collector", median(collector) * SYNCED_EVENTS, "events/s"),
        Figure(f"{name}: XADD alone", median(stream) * SYNCED_EVENTS, "events/s"),
    ]


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return median(our / their for our, their in zip(ours, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class _Bench:
    """Two servers by their ports, the stream, and what loads them."""

    collector: int
    empty: int
    stream: Redis
    generator: Generator
    write_key: str

    async def load(self, port: int, requests: str, seconds: float) -> float:
        """Requests a second that a server accepts."""
        count = await self.generator.round(port, requests, connections=CONNECTIONS, seconds=seconds)
        if count.refused:
            raise RuntimeError(f"{count.refused} requests were refused")
        self._empty_stream()
        return count.accepted / count.seconds

    def append(self, bodies: list[bytes], seconds: float) -> float:
        """Bodies a second that the stream takes from one client, a hundred a round trip."""
        started, added = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            pipeline = self.stream.pipeline(transaction=False)
            for number in range(added, added + ADDED_AT_ONCE):
                pipeline.xadd(keys.stream(0), {keys.FIELD: bodies[number % len(bodies)]})
            pipeline.execute()
            added += ADDED_AT_ONCE
        rate = added / (time.perf_counter() - started)
        self._empty_stream()
        return rate

    def sync_log(self, policy: str) -> None:
        """Set when the stream's log goes to the disk: "no" (the kernel decides) or "always" (before each answer)."""
        self.stream.config_set("appendfsync", policy)

    def _empty_stream(self) -> None:
        self.stream.delete(keys.stream(0), keys.depth(0))


@asynccontextmanager
async def _bench() -> AsyncIterator[_Bench]:
    """Database and stream of our own, a collector, an empty application, and a generator."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="chatnation-bench-", ignore_cleanup_errors=True)
        )
        urls = stack.enter_context(EmbeddedServers(Path(folder) / "data"))
        environment = {
            "CHATNATION_DATABASE_URL": urls.database_url,
            "CHATNATION_REDIS_URL": urls.redis_url,
            "CHATNATION_SECRET_KEY": SECRET,
            "CHATNATION_ENCRYPTION_KEYS": "01" * 32,
            **LIMITS,
        }
        write_key = await _make_key(urls)
        web = ("chatnation.core.supervisor.web", "--role", "collect", "--socket")
        collector = await stack.enter_async_context(_server(web, environment))
        empty = await stack.enter_async_context(_server(("benchmarks.empty_app",), {}))
        generator = await stack.enter_async_context(Generator.started())
        stream = stack.enter_context(Redis.from_url(urls.redis_url))
        yield _Bench(collector, empty, stream, generator, write_key)


async def _make_key(urls: ServerUrls) -> str:
    """A schema with a project whose pages may send events."""
    settings = Settings(database_url=urls.database_url, redis_url=urls.redis_url, secret_key=SecretStr(SECRET))
    app = compose(settings, role=Role.PROCESS, plugins=())
    await upgrade(app.storage, histories(()), Boundary())
    async with app.storage.system("make a project for a benchmark") as connection:
        tenant = await create_tenant(connection, "Benchmark")
        project = await create_project(connection, tenant.id, "Site", allowed_origins=[ORIGIN])
        key = await create_key(connection, tenant.id, "Site", KeyType.WRITE, project_id=project.id)
    await app.storage.dispose()
    return key.secret


@asynccontextmanager
async def _server(module: tuple[str, ...], environment: dict[str, str]) -> AsyncIterator[int]:
    """A module that serves HTTP on a socket that it is given; gives its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *module, str(listening.fileno()),
            pass_fds=[listening.fileno()],
            env={**os.environ, **environment},
        )  # fmt: skip
        port = int(listening.getsockname()[1])
        try:
            yield port
        finally:
            process.terminate()
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
