"""Open pages hear of rejected events."""

from __future__ import annotations

import msgspec

from chatnation.core.ingestion.rejection_feed import LIVE_KIND, MOST_REASONS, rejection_summaries
from chatnation.core.live import live_key, read_entry
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import track


def test_a_summary_has_each_tenants_rejections_with_a_sample_and_nothing_else() -> None:
    counts = {
        (0, "1/7/rejected/no/name"): 2,
        (0, "1/7/received"): 3,
        (0, "1/7/turned_away/limit"): 1,
        (1, "2/8/rejected/old"): 1,
    }
    told = rejection_summaries(counts, {"0/1/7/rejected/no/name": b'{"path":"event_name"}'})
    assert {tenant: summary["count"] for tenant, summary in told.items()} == {1: 2, 2: 1}
    (reason,) = told[1]["reasons"]
    assert (reason["reason"], reason["count"], reason["sample"]) == ("no/name", 2, {"path": "event_name"})
    many = rejection_summaries({(0, f"1/7/rejected/{number}"): 1 for number in range(99)}, {})
    assert (many[1]["count"], len(many[1]["reasons"])) == (99, MOST_REASONS)


async def test_a_rejected_event_is_told_within_two_seconds(make_app: MakeApp) -> None:
    import asyncio

    app = await make_app()
    source = await app.source()
    answer = await app.capture([track("fine"), {"event_name": "", "event_type": "track"}], source)
    assert len(answer.json()["rejected"]) == 1
    key, last = live_key(source.tenant.id), "0"
    async with asyncio.timeout(2):
        while not (entries := await app.app.redis.xrange(key, min=f"({last}" if last != "0" else "-")):
            await asyncio.sleep(0.02)
    (message,) = [read_entry(*entry) for entry in entries]
    told = msgspec.json.decode(message.data)
    assert message.kind == LIVE_KIND
    assert told["count"] == 1
    assert told["reasons"][0]["project_id"] == source.project.id
    assert told["reasons"][0]["sample"]["shape"] == {"event_name": "text", "event_type": "text"}
