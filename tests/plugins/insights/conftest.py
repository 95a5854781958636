"""Ten days of filings, for all that is asked of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chatnation.testing import FakeClock, RunningApp, Source, track
from chatnation.testing.apps import AppMaker
from chatnation.testing.servers import SharedServers

NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)
OBLIGATIONS = ("mri", "tot", "nil")
Filled = tuple[RunningApp, Source, httpx.AsyncClient]


@pytest.fixture(scope="module")
async def filled(chatnation_servers: SharedServers) -> AsyncIterator[Filled]:
    """Ten days on each of which person n files n times, for amounts of 100 n."""
    async with AppMaker(chatnation_servers) as make_app:
        app = await make_app(clock=FakeClock(NOW))
        source = await app.source()
        events = []
        for day in range(10):
            for person in range(4):
                for number in range(person):
                    at = NOW - timedelta(days=day, minutes=number)
                    properties = {"amount": 100 * person, "obligation": OBLIGATIONS[person % 3]}
                    who: dict[str, Any] = {"user": f"A{person:09}Z", "visitor": f"browser-{person}"}
                    events.append(track("filing_started", properties, at=at - timedelta(minutes=5), **who))
                    events.append(track("return_filed", properties, at=at, **who))
        await app.ingest_and_drain(events, source)
        yield app, source, await app.client(await app.person(source.tenant))
