"""Sessions are a function of the events alone: not of their order, their batches or who stored them."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chatnation import Event, EventBatch
from chatnation.plugins.sessions.models import metadata, sessions
from chatnation.plugins.sessions.projections import SessionBuilder
from chatnation.plugins.sessions.settings import SessionsTenantSettings
from chatnation.testing.servers import SharedServers, shared_servers

START = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
GAP = timedelta(minutes=30)
CONVERSIONS = SessionsTenantSettings().conversion_events
ATTRIBUTES = (
    "person_id", "started_at", "ended_at", "event_count", "page_count", "is_bot", "user_id", "entry_page", "exit_page",
    "referrer", "utm_source", "click_id", "device_type", "country_code", "converted_at", "conversion_event",
    "journey_at",
)  # fmt: skip


@pytest.fixture(scope="module")
def servers() -> Iterator[SharedServers]:
    with shared_servers() as running:
        yield running


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def engine(servers: SharedServers, anyio_backend: str) -> AsyncIterator[AsyncEngine]:
    url = await servers.create_database()
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE SCHEMA sessions"))
        await connection.run_sync(metadata.create_all)
    yield engine
    await engine.dispose()
    await servers.drop_database(url)


async def defaults(tenant_id: int) -> SessionsTenantSettings:
    return SessionsTenantSettings()


def event(number: int, minute: float, **values: object) -> Event:
    anonymous = UUID(int=values.pop("visitor", 1))  # type: ignore[arg-type]
    fields: dict[str, object] = {
        "tenant_id": 1,
        "project_id": 1,
        "message_id": UUID(int=number),
        "event_name": "page_view",
        "event_type": "page",
        "timestamp": START + timedelta(minutes=minute),
        "received_at": START,
        "anonymous_id": anonymous,
        "person_id": anonymous,
        **values,
    }
    return Event(**fields)  # type: ignore[arg-type]


async def build(engine: AsyncEngine, *batches: list[Event]) -> None:
    builder = SessionBuilder(defaults)
    for batch in batches:
        async with engine.begin() as connection:
            await builder(connection, EventBatch(1, batch))


async def stored(engine: AsyncEngine) -> list[dict[str, object]]:
    """All sessions, and an empty table behind them."""
    async with engine.begin() as connection:
        rows = await connection.execute(
            select(sessions).order_by(
                sessions.c.started_at, sessions.c.visitor, sessions.c.hint, sessions.c.channel_type
            )
        )
        found = [dict(row._mapping) for row in rows]
        await connection.execute(delete(sessions))
    return found


def recount(events: list[Event]) -> list[dict[str, object]]:
    """The sessions of `events`, written down as the documentation says them."""
    visits: dict[object, list[Event]] = {}
    for one in events:
        if one.channel_type == "whatsapp":
            key = (one.channel_type, one.person_id, None)
        else:
            key = (one.channel_type, one.anonymous_id, one.session_id)
        visits.setdefault(key, []).append(one)
    found = []
    for (channel, visitor, hint), members in visits.items():
        members.sort(key=lambda e: (e.timestamp, 2**32 if e.sequence is None else e.sequence, e.message_id.bytes))
        runs: list[list[Event]] = []
        for one in members:
            if not runs or one.timestamp - runs[-1][-1].timestamp > GAP:
                runs.append([])
            runs[-1].append(one)
        for run in runs:
            named = [e for e in run if e.user_id]
            pages = [e for e in run if e.page_path]
            devices = [e for e in run if e.device_type]
            places = [e for e in run if e.country_code]
            goals = [e for e in run if e.event_name in CONVERSIONS]
            journeys = [e for e in run if e.journey_start]
            url = (pages[0].page_url or "") if pages else ""
            found.append(
                {
                    "channel_type": channel,
                    "visitor": visitor,
                    "hint": hint,
                    "person_id": (named or run)[0].person_id,
                    "started_at": run[0].timestamp,
                    "ended_at": run[-1].timestamp,
                    "event_count": len(run),
                    "page_count": sum(e.event_type == "page" for e in run),
                    "is_bot": any(e.is_bot for e in run),
                    "user_id": named[0].user_id if named else None,
                    "entry_page": pages[0].page_path if pages else None,
                    "exit_page": pages[-1].page_path if pages else None,
                    "referrer": pages[0].referrer if pages else None,
                    "utm_source": url.split("utm_source=")[1].split("&")[0] if "utm_source=" in url else None,
                    "click_id": "gclid=" + url.split("gclid=")[1] if "gclid=" in url else None,
                    "device_type": devices[0].device_type if devices else None,
                    "country_code": places[0].country_code if places else None,
                    "converted_at": goals[0].timestamp if goals else None,
                    "conversion_event": goals[0].event_name if goals else None,
                    "journey_at": journeys[0].timestamp if journeys else None,
                }
            )
    return found


def comparable(rows: list[dict[str, object]]) -> list[str]:
    names = ("channel_type", "visitor", "hint", *ATTRIBUTES)
    return sorted(json.dumps([str(row[name]) for name in names]) for row in rows)


names = st.sampled_from(["page_view", "button_click", "return_filed", "payment_success", "identify"])


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Up to 30 events of a few visitors within five hours, with equal times, gaps of exactly 30 minutes, and ties."""
    found = []
    for number in range(draw(st.integers(1, 30))):
        name = draw(names)
        whatsapp = draw(st.integers(0, 5)) == 0
        visitor = draw(st.integers(1, 3))
        user = draw(st.sampled_from([None, None, None, "A001", "A002"]))
        hint = draw(st.sampled_from([None, UUID(int=901), UUID(int=902)]))
        path = draw(st.sampled_from([None, "/home", "/mri/start", "/done"])) if name == "page_view" else None
        query = draw(st.sampled_from(["", "?utm_source=sms", "?utm_source=mail&gclid=x1"]))
        found.append(
            event(
                number + 1,
                draw(st.sampled_from([0, 1, 5, 10, 30, 31, 40, 60, 61, 75, 90.5, 120, 150, 151, 200, 240, 300])),
                visitor=visitor,
                event_name=name,
                event_type="page" if name == "page_view" else "track",
                channel_type="whatsapp" if whatsapp else "web",
                session_id=hint,
                user_id=user,
                person_id=UUID(int=ord(user[-1]) + 5000) if user and not whatsapp else UUID(int=visitor),
                sequence=draw(st.sampled_from([None, 1, 2, 3])),
                page_path=path,
                page_url=f"https://tax.example{path}{query}" if path else None,
                referrer=draw(st.sampled_from([None, "https://search.example/"])) if path else None,
                device_type=draw(st.sampled_from([None, "mobile", "desktop"])),
                country_code=draw(st.sampled_from([None, "KE", "UG"])),
                is_bot=draw(st.integers(0, 20)) == 0,
                journey_start=draw(st.booleans()),
            )
        )
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), seed=st.integers(0, 2**32), cuts=st.integers(1, 8))
async def test_any_order_and_any_batching_give_the_recounted_sessions(
    engine: AsyncEngine, history: list[Event], seed: int, cuts: int
) -> None:
    shuffled = random.Random(seed).sample(history, len(history))
    size = -(-len(shuffled) // cuts)
    await build(engine, *(shuffled[start : start + size] for start in range(0, len(shuffled), size)))
    late = await stored(engine)
    await build(engine, sorted(history, key=lambda e: e.timestamp))
    in_order = await stored(engine)
    assert comparable(late) == comparable(recount(history))
    assert [row["session_id"] for row in late] == [row["session_id"] for row in in_order]


async def test_concurrent_workers_lose_no_event(engine: AsyncEngine) -> None:
    history = [event(n, n % 50 * 7, visitor=n % 4 + 1) for n in range(1, 801)]
    random.Random(7).shuffle(history)
    await asyncio.gather(
        *(build(engine, *(history[start : start + 20] for start in range(worker * 200, worker * 200 + 200, 20)))
          for worker in range(4))
    )  # fmt: skip
    assert comparable(await stored(engine)) == comparable(recount(history))


async def test_a_pause_of_exactly_the_limit_does_not_end_a_session(engine: AsyncEngine) -> None:
    await build(engine, [event(1, 0), event(2, 30)], [event(3, 60.001)])
    assert [row["event_count"] for row in await stored(engine)] == [2, 1]


async def test_midnight_does_not_end_a_session(engine: AsyncEngine) -> None:
    await build(engine, [event(1, 205), event(2, 215)])
    (row,) = await stored(engine)
    assert row["started_at"].date() != row["ended_at"].date()  # type: ignore[attr-defined]


async def test_a_late_event_joins_two_sessions_into_one(engine: AsyncEngine) -> None:
    await build(engine, [event(1, 0)], [event(2, 50)], [event(3, 25)])
    (row,) = await stored(engine)
    assert row["event_count"] == 3


async def test_receipts_make_no_session(engine: AsyncEngine) -> None:
    await build(engine, [event(1, 0, event_name="message.read", event_type="track", channel_type="whatsapp")])
    assert await stored(engine) == []


async def test_tenants_share_no_session(engine: AsyncEngine) -> None:
    builder = SessionBuilder(defaults)
    for tenant in (1, 2):
        async with engine.begin() as connection:
            await builder(connection, EventBatch(tenant, [event(1, 0, tenant_id=tenant)]))
    assert [row["event_count"] for row in await stored(engine)] == [1, 1]
