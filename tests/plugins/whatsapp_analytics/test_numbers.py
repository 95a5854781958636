"""Every number of the API about WhatsApp, against a recount."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from itertools import pairwise
from random import Random
from statistics import fmean, median
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing import MakeApp
from tests.plugins.recounting import NOW, asking, bounds, opened, share, stored
from tests.plugins.whatsapp_analytics.history import Recount, Said, random_history

ask = asking("/api/whatsapp-analytics")
PERIODS: list[dict[str, str]] = [
    {},
    {"period": "today"},
    {"start_date": "2025-03-27", "end_date": "2025-03-31", "granularity": "hour"},
    {"period": "90d", "granularity": "week"},
]
PATHS = (
    *("stats", "volume", "heatmap", "agents", "countries", "response-time", "funnel", "resolution-stats"),
    *("conversation-length", "trends/volume", "trends/response-time", "trends/read-rate", "trends/new-contacts"),
)
HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "Europe/Berlin"])
async def test_every_number_equals_a_recount(make_app: MakeApp, timezone: str) -> None:
    app, source, client = await opened(make_app, timezone)
    said = random_history(Random(timezone), NOW)
    await stored(app, source, said)
    zone = ZoneInfo(timezone)
    for period in PERIODS:
        start, end = bounds(period, zone)
        recount = Recount(said, start, end, NOW)
        await compare_stats(client, recount, period)
        await compare_receipts(client, recount, period)
        await compare_responses(client, recount, period)
        await compare_breakdowns(client, recount, period, zone)
        await compare_chats(client, recount, period)


async def compare_stats(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    stats = await ask(client, "stats", **period)
    length = len(list(days_of(recount)))
    zone = recount.start.tzinfo
    earlier = datetime.combine(recount.start.date() - timedelta(days=length), time(), zone)
    for found, of in ((stats, recount), (stats["previous"], Recount(recount.said, earlier, recount.start, NOW))):
        sent, _, read = of.messages().get(None, (0, 0, 0))
        assert found["messages_received"] == len(of.of("message.received"))
        assert found["messages_sent"] == len(of.of("message.sent"))
        assert (found["messages_read"], found["read_rate"]) == (read, share(read, sent))
        assert (found["unique_contacts"], found["new_contacts"]) == (of.contacts(), len(of.newcomers()))
    trend = await ask(client, "trends/volume", **period)
    assert (trend["total_received"], trend["total_sent"]) == (stats["messages_received"], stats["messages_sent"])
    assert sum(row["received"] for row in trend["data"]) == trend["total_received"]
    assert sum(row["sent"] for row in trend["data"]) == trend["total_sent"]
    new = await ask(client, "trends/new-contacts", **period)
    assert new["total_new_contacts"] == sum(row["new_contacts"] for row in new["data"]) == stats["new_contacts"]
    assert new["previous_total"] == stats["previous"]["new_contacts"]
    if trend["granularity"] == "day":
        assert [row["period"] for row in trend["data"]] == [day.isoformat() for day in days_of(recount)]
        by_day = Counter(one.at.astimezone(zone).date().isoformat() for one in recount.of("message.received"))
        assert {row["period"]: row["received"] for row in trend["data"] if row["received"]} == by_day


def days_of(recount: Recount) -> Any:
    day = recount.start.date()
    while day < recount.end.date():
        yield day
        day += timedelta(days=1)


async def compare_receipts(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    funnel = await ask(client, "funnel", **period)
    sent, delivered, read = recount.messages().get(None, (0, 0, 0))
    contacts, replied = recount.replies()
    assert [step["count"] for step in funnel["funnel"]] == [sent, delivered, read, replied]
    assert funnel["contacts_written_to"] == contacts
    assert (funnel["delivery_rate"], funnel["read_rate"]) == (share(delivered, sent), share(read, delivered))
    assert funnel["reply_rate"] == share(replied, contacts)
    trend = await ask(client, "trends/read-rate", **period)
    assert (trend["total_sent"], trend["total_read"]) == (sent, read)
    assert trend["overall_read_rate"] == share(read, sent)
    assert sum(row["sent"] for row in trend["data"]) == sent
    assert all(row["read_rate"] is None or row["read_rate"] <= 100 for row in trend["data"])


async def compare_responses(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    answered, unanswered, still_open = recount.responses()
    minutes = [seconds / 60 for _, seconds in answered]
    found = await ask(client, "response-time", **period)
    assert (found["answered"], found["unanswered"], found["open"]) == (len(answered), unanswered, still_open)
    assert found["median_minutes"] == (pytest.approx(median(minutes)) if minutes else None)
    assert found["p95_minutes"] == (pytest.approx(np.percentile(minutes, 95)) if minutes else None)
    assert [row["bucket"] for row in found["distribution"]] == [*(f"{low}-{low + 1}" for low in range(9)), "9+"]
    for row, (low, high) in zip(found["distribution"], pairwise((*range(10), float("inf"))), strict=True):
        theirs = [each for each in minutes if low <= each < high]
        assert (row["count"], row["avg_minutes"]) == (len(theirs), pytest.approx(fmean(theirs)) if theirs else None)
    trend = await ask(client, "trends/response-time", **period)
    assert (trend["total_responses"], trend["overall_median_minutes"]) == (len(answered), found["median_minutes"])
    assert sum(row["unanswered"] for row in trend["data"]) == unanswered
    assert trend["target_minutes"] == 5
    if trend["granularity"] == "day":
        zone = recount.start.tzinfo
        for row in trend["data"]:
            day = [
                seconds / 60 for one, seconds in answered if one.at.astimezone(zone).date().isoformat() == row["period"]
            ]
            assert row["response_count"] == len(day)
            assert row["median_minutes"] == (pytest.approx(median(day)) if day else None)


async def compare_breakdowns(
    client: httpx.AsyncClient, recount: Recount, period: dict[str, str], zone: ZoneInfo
) -> None:
    received = recount.of("message.received")
    local = [one.at.astimezone(zone) for one in received]
    volume = await ask(client, "volume", **period)
    hours = Counter(at.hour for at in local)
    assert [(row["hour"], row["count"]) for row in volume["data"]] == [(hour, hours[hour]) for hour in range(24)]
    heatmap = await ask(client, "heatmap", **period)
    assert len(heatmap["data"]) == 168
    cells = Counter({(row["day"], row["hour"]): row["count"] for row in heatmap["data"]})
    assert +cells == Counter((at.isoweekday() % 7, at.hour) for at in local)
    countries = await ask(client, "countries", **period)
    assert {row["country_code"]: row["count"] for row in countries["data"]} == Counter(one.country for one in received)
    agents = await ask(client, "agents", **period)
    resolved = Counter(one.properties["agentId"] for one in recount.of("chat.resolved"))
    wrote = Counter(agent for one in recount.of("message.sent") if (agent := one.properties.get("agentId")))
    assert {row["agent_id"]: row["chat_count"] for row in agents["data"] if row["chat_count"]} == resolved
    assert {row["agent_id"]: row["messages_sent"] for row in agents["data"] if row["messages_sent"]} == wrote
    taken = {one.properties["agentId"] for one in recount.of("agent.handoff")}
    assert all(
        row["name"] == (f"Agent {row['agent_id'][-1]}" if row["agent_id"] in taken else None) for row in agents["data"]
    )


async def compare_chats(client: httpx.AsyncClient, recount: Recount, period: dict[str, str]) -> None:
    stats = await ask(client, "resolution-stats", **period)
    minutes = [seconds / 60 for seconds in recount.resolutions()]
    assert (stats["measured"], stats["total_resolved"]) == (len(minutes), len(recount.of("chat.resolved")))
    expected = (fmean(minutes), min(minutes), max(minutes)) if minutes else (None, None, None)
    assert [stats[f"{name}_duration_minutes"] for name in ("avg", "min", "max")] == [
        each if each is None else pytest.approx(each) for each in expected
    ]
    lengths = recount.lengths()
    found = await ask(client, "conversation-length", **period)
    sizes = [(1, 3), (4, 6), (7, 10), (11, 20), (21, 1_000)]
    assert [row["bucket"] for row in found["data"]] == ["1-3", "4-6", "7-10", "11-20", "20+"]
    assert [row["count"] for row in found["data"]] == [
        sum(low <= count <= high for count in lengths.values()) for low, high in sizes
    ]
    assert found["conversations"] == len(lengths)


async def test_the_page_and_its_downloads_tell_of_templates_and_senders(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    said = random_history(Random(5), NOW)
    await stored(app, source, said)
    recount = Recount(said, *bounds({}, ZoneInfo("Africa/Nairobi")), NOW)

    def template(one: Said) -> str:
        name = one.properties.get("template", {}).get("name") or one.properties.get("templateId")
        return name or "No template"

    lines = (await client.get("/whatsapp-analytics/templates.csv")).text.splitlines()
    rows = {name: (int(sent), float(delivered), float(read)) for name, sent, delivered, read in map(_cells, lines[1:])}
    assert rows == {
        name: (sent, pytest.approx(100 * delivered / sent, abs=1e-5), pytest.approx(100 * read / sent, abs=1e-5))
        for name, (sent, delivered, read) in recount.messages(template).items()
    }
    answered, _, _ = recount.responses()
    senders = (await client.get("/whatsapp-analytics/responders.csv")).text.splitlines()
    assert sum(int(_cells(line)[1]) for line in senders[1:]) == len(answered)
    assert {"Bot", "Agent 0", "Unknown"} <= {_cells(line)[0] for line in senders}
    page = await client.get("/whatsapp-analytics", headers=HTML)
    assert page.status_code == 200
    for card in ("figures", "funnel", "read-rate", "responders", "week", "resolution", "agents", "agent-delivery"):
        part = await client.get(f"/whatsapp-analytics/parts/{card}", headers=HTML)
        assert (card, part.status_code) == (card, 200)
        assert "could not be shown" not in part.text
    part = (await client.get("/whatsapp-analytics/parts/figures", headers=HTML)).text
    assert f"{len(recount.of('message.received')):,}" in part


def _cells(line: str) -> list[str]:
    return [cell.strip('"').lstrip("'") for cell in line.split(",")]


async def test_a_filter_narrows_messages_and_not_the_receipts_that_follow(make_app: MakeApp) -> None:
    app, source, client = await opened(make_app)
    at = NOW - timedelta(days=2)
    sent = Said("message.sent", at, "254700000001", {"messageId": "m1"})
    receipt = Said("message.read", at + timedelta(seconds=5), "254700000001", {"message_id": "m1"}).wire()
    del receipt["context"]["externalId"]
    await app.ingest_and_drain([sent.wire(), receipt | {"user_id": None}], source)

    kenya, uganda = [await ask(client, "funnel", country=code) for code in ("KE", "UG")]

    assert [step["count"] for step in kenya["funnel"]][:3] == [1, 1, 1]
    assert [step["count"] for step in uganda["funnel"]][:3] == [0, 0, 0]


async def test_without_events_nothing_is_made_up(make_app: MakeApp) -> None:
    _, _, client = await opened(make_app)
    stats = await ask(client, "stats")
    assert (stats["messages_received"], stats["read_rate"]) == (0, None)
    assert (await ask(client, "response-time"))["median_minutes"] is None
    assert len((await ask(client, "trends/new-contacts", period="7d"))["data"]) == 7
    page = await client.get("/whatsapp-analytics", headers=HTML)
    assert page.status_code == 200
    assert "could not be shown" not in page.text


async def test_another_tenant_s_messages_do_not_count(make_app: MakeApp) -> None:
    app, source, _ = await opened(make_app)
    await stored(app, source, random_history(Random(1), NOW, chats=5))
    stranger = await app.client(await app.person((await app.source("Another")).tenant))
    assert (await ask(stranger, "stats", period="90d"))["messages_received"] == 0
    assert (await ask(stranger, "agents", period="90d"))["data"] == []


async def test_what_makes_no_sense_is_refused(make_app: MakeApp) -> None:
    _, _, client = await opened(make_app)
    for path in PATHS:
        for wrong in ({"granularity": "year"}, {"period": "8d"}, {"start_date": "soon"}):
            answer = await client.get(f"/api/whatsapp-analytics/{path}", params=wrong)
            assert (path, wrong, answer.status_code) == (path, wrong, 422)


async def test_an_agent_may_not_look(make_app: MakeApp) -> None:
    app, source, _ = await opened(make_app)
    agent = await app.client(await app.person(source.tenant, RoleName.AGENT))
    assert (await agent.get("/api/whatsapp-analytics/stats")).status_code == 403
    assert (await agent.get("/whatsapp-analytics", headers=HTML)).status_code == 403
