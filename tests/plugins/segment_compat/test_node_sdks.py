"""The unmodified Node SDKs of Segment and RudderStack deliver to us (conformance lines 3 and 4)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.plugins.segment_compat.conftest import Counter
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
