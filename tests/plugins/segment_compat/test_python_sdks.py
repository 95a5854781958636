"""The unmodified Python SDKs of Segment and RudderStack deliver to us (conformance lines 1, 2, 18, 19, 21)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient

from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing import FakeClock
from chatnation.testing.apps import MakeApp
from tests.plugins.segment_compat.conftest import Counter, open_counter

WHEN = datetime(2026, 11, 2, 3, 4, 5, 678000, tzinfo=UTC)


async def finish(client: Any) -> None:
    """Send what waits, and end the client's thread; both block."""
    await asyncio.to_thread(client.flush)
    await asyncio.to_thread(client.join)


def segment(counter: Counter, **options: Any) -> SegmentClient:
    return SegmentClient(counter.source.write_key, host=counter.url, upload_interval=0.05, **options)


def rudder(counter: Counter, **options: Any) -> RudderClient:
    return RudderClient(counter.source.write_key, host=counter.url, upload_interval=0.05, **options)


@pytest.mark.parametrize("make", [segment, rudder], ids=["segment", "rudder"])
@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip"])
async def test_every_call_arrives_once_with_its_ids_and_time(
    counter: Counter, make: Callable[..., Any], gzip: bool
) -> None:
    errors: list[Exception] = []
    client = make(counter, gzip=gzip, on_error=lambda error, batch: errors.append(error))
    client.track("u1", "Signed Up", {"plan": "gold"}, timestamp=WHEN)
    client.identify("u1", {"name": "Wanjiru"}, anonymous_id="a1")
    client.page("u1", "Docs", "Python", {"path": "/docs"})
    client.screen("u1", "Forms", "Return")
    client.group("u1", "g1", {"name": "KRA"})
    client.alias("a1", "u1")
    client.track(anonymous_id="a2", event="Anonymous")
    await finish(client)

    events = await counter.arrived(7)

    assert errors == []
    by_name = {event.event_name: event for event in events}
    assert len(events) == len(by_name) == 7
    signed_up = by_name["Signed Up"]
    assert (signed_up.user_id, signed_up.anonymous_id, signed_up.timestamp) == ("u1", None, WHEN)
    assert signed_up.properties == b'{"plan":"gold"}'
    assert signed_up.sdk_name == "analytics-python"
    assert by_name["identify"].properties == b'{"name":"Wanjiru"}'
    assert by_name["identify"].anonymous_id is not None
    assert by_name["page_view"].event_type == "page"
    assert b'"path":"/docs"' in by_name["page_view"].properties
    assert by_name["screen_view"].event_type == "screen"
    assert b'"group_id":"g1"' in by_name["group"].properties
    assert (by_name["alias"].user_id, by_name["alias"].previous_id) == ("u1", "a1")
    assert by_name["Anonymous"].user_id is None
    assert all(event.message_ref for event in events)


async def test_the_customer_s_server_is_nobody_s_device_or_address(counter: Counter) -> None:
    client = segment(counter)
    client.track("u1", "Paid")
    client.track("u1", "Seen", context={"ip": "41.90.1.77", "userAgent": "Mozilla/5.0 (phone)"})
    await finish(client)

    plain, described = await counter.arrived(2)

    assert (plain.ip_address, plain.geo_ip, plain.user_agent) == (None, None, None)
    assert (described.ip_address, described.user_agent) == ("41.90.1.0", "Mozilla/5.0 (phone)")


@pytest.mark.parametrize("make", [segment, rudder], ids=["segment", "rudder"])
async def test_a_bad_key_is_told_once_and_not_retried(counter: Counter, make: Callable[..., Any]) -> None:
    errors: list[Any] = []
    client = make(counter, on_error=lambda error, batch: errors.append(error))
    client.write_key = "wrong"
    for consumer in client.consumers:
        consumer.write_key = "wrong"
    started = time.monotonic()
    client.track("u1", "Lost")
    await finish(client)

    assert time.monotonic() - started < 5, "it did not back off and try again"
    assert len(errors) == 1
    assert "invalid_write_key" in str(errors[0]) or errors[0].status == 401
    assert await counter.events() == []


async def test_after_a_429_it_waits_as_told_and_loses_nothing(make_app: MakeApp) -> None:
    clock = FakeClock(datetime(2026, 11, 2, 3, 4, 58, tzinfo=UTC))
    app = await make_app(SegmentCompatPlugin, settings={"rate_limit_per_key": 1}, clock=clock)
    counter = await open_counter(app)
    assert (await counter.post("/v1/track", {"event": "First", "userId": "u1"})).status_code == 200
    refused = await counter.post("/v1/track", {"event": "Refused", "userId": "u1"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert refused.headers["x-ratelimit-reset"] == "3"
    assert "retry-after" in refused.headers["access-control-expose-headers"].lower()
    started = time.monotonic()
    client = segment(counter)
    client.track("u1", "Second")
    await asyncio.sleep(1)
    clock.move(timedelta(minutes=2))
    await finish(client)

    names = [event.event_name for event in await counter.arrived(2)]

    assert names == ["First", "Second"]
    assert 2.9 < time.monotonic() - started < 10


@pytest.mark.parametrize("make", [segment, rudder], ids=["segment", "rudder"])
async def test_after_a_503_everything_arrives_once(make_app: MakeApp, make: Callable[..., Any]) -> None:
    app = await make_app(SegmentCompatPlugin, settings={"stream_max_events": 1})
    counter = await open_counter(app)
    assert (await counter.post("/v1/track", {"event": "In the way", "userId": "u1"})).status_code == 200
    client = make(counter)
    for number in range(3):
        client.track("u1", f"Event {number}")
    while not (refused := await counter.post("/v1/track", {"event": "x", "userId": "u1"})).headers.get("retry-after"):
        await asyncio.sleep(0.05)
    assert refused.status_code == 503
    entries = await app.app.queue.read(0, max_events=100, wait_ms=1)
    await app.app.queue.acknowledge(entries)
    await finish(client)

    names = [event.event_name for event in await counter.arrived(3)]

    assert sorted(names) == ["Event 0", "Event 1", "Event 2"]
