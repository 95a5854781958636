"""A running collector that speaks Segment's protocol, over a real network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from chatnation import Event
from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing.apps import AppMaker, RunningApp
from chatnation.testing.servers import SharedServers
from tests.core.ingestion.conftest import Desk

PATIENCE = 20.0


@dataclass
class Counter(Desk):
    """A desk whose client goes over the network. `url` is for SDKs."""

    url: str = ""

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        """Post as `Desk.capture` does, to `path`."""
        return await self.capture(body, url=path, **options)

    async def arrived(self, count: int) -> list[Event]:
        """The events that came since the last call, once there are `count` of them."""
        found: list[Event] = []
        deadline = time.monotonic() + PATIENCE
        while len(found) < count and time.monotonic() < deadline:
            found += await self.events()
            await asyncio.sleep(0.02)
        found += await self.events()
        return found


async def open_counter(app: RunningApp, **project: Any) -> Counter:
    client = await app.network_client()
    return Counter(app, client, await app.source(**project), str(client.base_url).rstrip("/"))


@pytest.fixture(scope="module")
async def segment_app(chatnation_servers: SharedServers) -> AsyncIterator[RunningApp]:
    async with AppMaker(chatnation_servers) as make:
        yield await make(SegmentCompatPlugin)


@pytest.fixture
async def counter(segment_app: RunningApp) -> AsyncIterator[Counter]:
    counter = await open_counter(segment_app)
    yield counter
    await segment_app.close()
