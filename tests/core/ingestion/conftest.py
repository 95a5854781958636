"""A collector with a project, and what it put on the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from chatnation import Delivery, Event, Plugin
from chatnation.core.ingestion.normalize import normalize
from chatnation.testing.apps import AppMaker, MakeApp, RunningApp, Source
from chatnation.testing.servers import SharedServers


class Bare(Plugin):
    """Nothing at all, so that only the core is under test."""

    name = "bare"


@dataclass
class Desk:
    """A collector, a client of it, and a project's key that the client sends unless told otherwise."""

    app: RunningApp
    client: httpx.AsyncClient
    source: Source

    async def capture(
        self, body: Any, *, headers: Mapping[str, str] | None = None, key: str | None = "", url: str = "/v1/capture"
    ) -> httpx.Response:
        """Post JSON data, or bytes as they are. `key`: "" sends the project's, None sends none."""
        sent = {"X-Write-Key": key or self.source.write_key} if key is not None else {}
        sent |= headers or {}
        if isinstance(body, bytes):
            return await self.client.post(url, content=body, headers=sent)
        return await self.client.post(url, json=body, headers=sent)

    async def deliveries(self) -> list[Delivery]:
        """What came on the stream since the last call."""
        found: list[Delivery] = []
        for partition in range(self.app.app.settings.stream_partitions):
            entries = await self.app.app.queue.read(partition, max_events=100_000, wait_ms=1)
            found += [delivery for entry in entries for delivery in entry.deliveries]
        return [delivery for delivery in found if delivery.project_id == self.source.project.id]

    async def events(self) -> list[Event]:
        """The same, as the processor will see it."""
        return [event for delivery in await self.deliveries() for event in normalize(delivery)]


async def open_desk(make_app: MakeApp, settings: Mapping[str, Any] | None = None, **project: Any) -> Desk:
    """A desk of its own, with other settings of the instance."""
    app = await make_app(Bare, settings=settings)
    return await place_desk(app, **project)


async def place_desk(app: RunningApp, *, served: bool = True, **project: Any) -> Desk:
    """A desk in a running app; `project` as for `create_project`.

    Its client asks our server, which answers most requests at once, or else the ASGI application alone.
    """
    client = await (app.network_client() if served else app.client())
    return Desk(app, client, await app.source(**project))


@pytest.fixture(scope="module")
async def shared_app(chatnation_servers: SharedServers) -> AsyncIterator[RunningApp]:
    """An app for all tests of a module, each with a project of its own."""
    async with AppMaker(chatnation_servers) as make:
        yield await make(Bare)


@pytest.fixture(params=[True, False], ids=["our server", "any server"])
async def desk(shared_app: RunningApp, request: pytest.FixtureRequest) -> Desk:
    return await place_desk(shared_app, served=request.param)
