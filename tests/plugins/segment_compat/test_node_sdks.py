"""The unmodified Node SDKs of Segment and RudderStack deliver to us (conformance lines 3 and 4)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from chatnation.core.ingestion.normalize import normalize
from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing.apps import MakeApp
from tests.plugins.segment_compat.conftest import PATIENCE, Counter, open_counter
from tests.plugins.segment_compat.node_packages import node_folder, why_not

SEGMENT = """
const { Analytics } = require("@segment/analytics-node");
const [url, writeKey] = process.argv.slice(1);
const analytics = new Analytics({ writeKey, host: url, flushInterval: 50 });
analytics.on("error", (error) => { console.error(error); process.exitCode = 1; });
const timestamp = "2026-11-02T03:04:05.678Z";
analytics.track({ userId: "u1", event: "Signed Up", properties: { plan: "gold" }, timestamp });
analytics.identify({ userId: "u1", anonymousId: "a1", traits: { name: "Wanjiru" } });
analytics.page({ userId: "u1", name: "Docs", properties: { path: "/docs" } });
analytics.screen({ anonymousId: "a1", name: "Return" });
analytics.group({ userId: "u1", groupId: "g1", traits: { name: "KRA" } });
analytics.alias({ userId: "u1", previousId: "a1" });
analytics.closeAndFlush();
"""

SEGMENT_OUTAGE = """
const { Analytics } = require("@segment/analytics-node");
const [url, writeKey] = process.argv.slice(1);
const analytics = new Analytics({ writeKey, host: url, flushInterval: 50, flushAt: 2 });
for (let number = 0; number < 5; number++) analytics.track({ userId: "u1", event: `Event ${number}` });
analytics.closeAndFlush({ timeout: 30000 });
"""

RUDDER = """
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
const [url, writeKey] = process.argv.slice(1);
const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl: url, flushInterval: 50 });
const timestamp = new Date("2026-11-02T03:04:05.678Z");
analytics.track({ userId: "u1", event: "Signed Up", properties: { plan: "gold" }, originalTimestamp: timestamp });
analytics.identify({ userId: "u1", anonymousId: "a1", traits: { name: "Wanjiru" } });
analytics.page({ userId: "u1", name: "Docs", properties: { path: "/docs" } });
analytics.screen({ anonymousId: "a1", name: "Return" });
analytics.group({ userId: "u1", groupId: "g1", traits: { name: "KRA" } });
analytics.alias({ userId: "u1", previousId: "a1" });
analytics.flush((error) => { if (error) { console.error(error); process.exitCode = 1; } });
"""

RUDDER_OUTAGE = """
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
const [url, writeKey] = process.argv.slice(1);
const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl: url, flushInterval: 50, flushAt: 2 });
for (let number = 0; number < 5; number++) analytics.track({ userId: "u1", event: `Event ${number}` });
"""


@pytest.fixture(scope="module")
def sdks() -> Path:
    folder = node_folder()
    if folder is None:
        pytest.skip(why_not())
    return folder


@pytest.mark.parametrize(("program", "library"), [(SEGMENT, "@segment/analytics-node"), (RUDDER, "analytics-node")])
async def test_every_call_arrives_once_with_its_ids(counter: Counter, sdks: Path, program: str, library: str) -> None:
    process = await asyncio.create_subprocess_exec(
        "node", "-e", program, counter.url, counter.source.write_key, cwd=sdks, stderr=asyncio.subprocess.PIPE
    )
    _, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaints.decode()

    events = await counter.arrived(6)

    by_name = {event.event_name: event for event in events}
    assert len(events) == len(by_name) == 6
    signed_up = by_name["Signed Up"]
    assert (signed_up.user_id, json.loads(signed_up.properties)) == ("u1", {"plan": "gold"})
    assert signed_up.timestamp.isoformat() == "2026-11-02T03:04:05.678000+00:00"
    assert signed_up.sdk_name == library
    assert (signed_up.ip_address, signed_up.user_agent) == (None, None)
    assert json.loads(by_name["identify"].properties)["name"] == "Wanjiru"
    assert by_name["screen_view"].user_id is None
    assert json.loads(by_name["group"].properties) == {"name": "KRA", "group_id": "g1"}
    assert (by_name["alias"].user_id, by_name["alias"].previous_id) == ("u1", "a1")
    assert all(event.message_ref for event in events)


@pytest.mark.parametrize("program", [SEGMENT_OUTAGE, RUDDER_OUTAGE], ids=["segment", "rudder"])
async def test_after_a_503_everything_arrives_once(make_app: MakeApp, sdks: Path, program: str) -> None:
    app = await make_app(SegmentCompatPlugin, settings={"stream_max_events": 1})
    counter = await open_counter(app)
    assert (await counter.post("/v1/track", {"event": "In the way", "userId": "u1"})).status_code == 200
    process = await asyncio.create_subprocess_exec(
        "node", "-e", program, counter.url, counter.source.write_key, cwd=sdks
    )
    refusals = app.app.metrics.requests.labels("capture", "503")
    async with asyncio.timeout(PATIENCE):
        while not refusals.collect()[0].samples[0].value:
            await asyncio.sleep(0.02)

    names: list[str] = []
    async with asyncio.timeout(2 * PATIENCE):
        while len(names) < 6:
            names += await take(counter)
            await asyncio.sleep(0.02)
        await process.wait()

    assert sorted(names) == [*(f"Event {number}" for number in range(5)), "In the way"]
    assert process.returncode == 0
    assert await take(counter) == []


async def take(counter: Counter) -> list[str]:
    """Names of the events that wait on the stream, which has room again afterwards."""
    queue = counter.app.app.queue
    entries = await queue.read(0, max_events=100, wait_ms=1)
    await queue.acknowledge(entries)
    return [event.event_name for entry in entries for delivery in entry.deliveries for event in normalize(delivery)]
