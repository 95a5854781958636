"""Sessions one by one, against a recount of what was sent."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from chatnation.testing.apps import MakeApp
from chatnation.testing.events import page_view, track
from tests.plugins.explorer.conftest import NOW, Desk, Sent, open_desk, send_history

PAUSE = timedelta(minutes=30)


def visits(sent: list[Sent]) -> list[list[Sent]]:
    """What was sent as visits, by the rule: one visitor, no pause longer than half an hour."""
    found: list[list[Sent]] = []
    lines: defaultdict[tuple[str, str], list[Sent]] = defaultdict(list)
    for each in sent:
        lines[each.who, each.channel].append(each)
    for line in lines.values():
        line.sort(key=lambda each: each.at)
        found.append([line[0]])
        for before, each in pairwise(line):
            if each.at - before.at > PAUSE:
                found.append([])
            found[-1].append(each)
    return found


async def one_browser_each(make_app: MakeApp, seed: int, timezone: str = "Africa/Nairobi") -> tuple[Desk, Any]:
    """A history in which persons and browsers are the same, so that visits are easy to recount."""
    desk = await open_desk(make_app, timezone)
    await send_history(desk, seed, people=15)
    by_person: defaultdict[str, set[str]] = defaultdict(set)
    rows = [row async for row in desk.pages("/api/sessions", limit=7, bots=True)]
    for row in rows:
        by_person[row["person_id"]].add(row["session_id"])
    return desk, rows


async def test_every_event_is_in_one_session_and_pages_hold_each_session_once(make_app: MakeApp) -> None:
    desk, rows = await one_browser_each(make_app, 1)
    assert sum(row["events"] for row in rows) == len(desk.sent)
    assert len({row["session_id"] for row in rows}) == len(rows)
    assert [row["started_at"] for row in rows] == sorted((row["started_at"] for row in rows), reverse=True)
    people = await desk.get("/api/sessions")
    assert people["total"] == sum(not row["is_bot"] for row in rows)
    assert people["converted"] == sum(row["converted_at"] is not None for row in rows if not row["is_bot"])
    seen: list[str] = []
    for row in rows:
        detail = await desk.get(f"/api/sessions/{row['session_id']}")
        assert len(detail["events"]) == row["events"]
        times = [event["timestamp"] for event in detail["events"]]
        assert times == sorted(times)
        seen += [event["message_id"] for event in detail["events"]]
    assert len(seen) == len(set(seen)) == len(desk.sent)
    chats = [row for row in rows if row["channel_type"] == "whatsapp"]
    assert len(chats) == len([visit for visit in visits(desk.counted(channel="whatsapp")) if visit])


FILTERS: list[tuple[dict[str, object], Callable[[dict[str, Any]], bool]]] = [
    ({"channel": "whatsapp"}, lambda row: row["channel_type"] == "whatsapp"),
    ({"device": "mobile"}, lambda row: row["device_type"] == "mobile"),
    ({"device": "unknown"}, lambda row: row["device_type"] is None),
    ({"country": "KE"}, lambda row: row["country_code"] == "KE"),
    ({"utm_source": "sms"}, lambda row: row["utm_source"] == "sms"),
    ({"utm_source": ["sms", "unknown"]}, lambda row: True),
    ({"entry_page": "/mri"}, lambda row: row["entry_page"] == "/mri"),
    ({"entry_page": ["/mri", "/tot"]}, lambda row: row["entry_page"] in ("/mri", "/tot")),
    ({"user": "P002"}, lambda row: row["user_id"] == "P002"),
    ({"converted": True}, lambda row: row["converted_at"] is not None),
    ({"converted": False}, lambda row: row["converted_at"] is None),
    ({"identified": True}, lambda row: row["user_id"] is not None),
    ({"conversion_event": "return_filed"}, lambda row: row["conversion_event"] == "return_filed"),
    ({"page": "/tot", "channel": "web"}, lambda row: row["entry_page"] == "/tot"),
]


async def test_each_filter_lists_and_totals_exactly_what_it_says(make_app: MakeApp) -> None:
    desk, rows = await one_browser_each(make_app, 2)
    rows = [row for row in rows if not row["is_bot"]]
    for filters, fits in FILTERS:
        expected = {row["session_id"] for row in rows if fits(row)}
        assert expected, filters
        answer = await desk.get("/api/sessions", limit=200, **filters)
        assert {row["session_id"] for row in answer["items"]} == expected, filters
        assert answer["total"] == len(expected), filters
        page = await desk.page("/sessions", limit=200, **filters)
        assert set(re.findall(r'href="/sessions/([0-9a-f-]{36})"', page)) == expected, filters
        persons = re.search(r'Persons</div>.*?cn-kpi-value">(\d+)<', page, re.DOTALL)
        assert (persons is None) == ("page" in filters), filters
        if persons:
            assert int(persons[1]) == len({row["person_id"] for row in rows if fits(row)}), filters
    person = rows[0]["person_id"]
    mine = await desk.get("/api/sessions", person=person)
    assert {row["session_id"] for row in mine["items"]} == {r["session_id"] for r in rows if r["person_id"] == person}


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "Europe/Berlin"])
async def test_weekdays_and_hours_are_those_of_the_tenant(make_app: MakeApp, timezone: str) -> None:
    from datetime import datetime

    desk, rows = await one_browser_each(make_app, 3, timezone)
    total = 0
    for weekday in range(7):
        found = (await desk.get("/api/sessions", weekday=weekday, limit=200))["items"]
        total += len(found)
        for row in found:
            local = datetime.fromisoformat(row["started_at"]).astimezone(desk.zone)
            assert local.isoweekday() % 7 == weekday
    assert total == sum(not row["is_bot"] for row in rows)
    row = rows[0]
    local = datetime.fromisoformat(row["started_at"]).astimezone(desk.zone)
    hour = await desk.get("/api/sessions", hour=local.hour, limit=200, bots=True)
    assert row["session_id"] in {each["session_id"] for each in hour["items"]}


async def test_a_download_has_every_session_of_the_list(make_app: MakeApp) -> None:
    desk, rows = await one_browser_each(make_app, 4)
    text = (await desk.client.get("/sessions/export.csv?converted=true")).text.lstrip("\ufeff")
    found = {row["session_id"] for row in csv.DictReader(io.StringIO(text))}
    assert found == {row["session_id"] for row in rows if row["converted_at"] and not row["is_bot"]}


async def test_a_session_is_shown_with_what_happened_in_it(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    web = {"visitor": str(uuid4()), "session": str(uuid4())}
    events = [page_view("/a?utm_campaign=may", **web), track("return_filed", {"receipt_number": "R<1>"}, **web)]
    await desk.app.ingest_and_drain(events, desk.source)
    answer = await desk.client.get(f"/sessions/{web['session']}")
    page = await desk.page(answer.headers["location"])
    for text in ("return_filed", "R&lt;1&gt;", "may", "1 page view: /a"):
        assert text in page, text
    assert "1 page view: /a" not in await desk.page(answer.headers["location"], all="1")
    assert (await desk.client.get(f"/sessions/{uuid4()}")).status_code == 404
    other = await desk.app.client(await desk.app.person((await desk.app.source("Soko")).tenant))
    for path in (answer.headers["location"], f"/sessions/{web['session']}"):
        assert (await other.get(path)).status_code == 404


async def test_an_id_that_a_client_used_again_leads_to_the_latest_session_and_names_the_others(
    make_app: MakeApp,
) -> None:
    desk = await open_desk(make_app)
    web = {"visitor": str(uuid4()), "session": str(uuid4())}
    events = [page_view("/early", at=NOW - timedelta(hours=5), **web), page_view("/late", at=NOW, **web)]
    await desk.app.ingest_and_drain(events, desk.source)
    page = await desk.page(f"/sessions/{web['session']}")
    assert "/late" in page
    assert "1 more session" in page


@pytest.mark.parametrize(
    "query", ["weekday=7", "hour=24", "limit=0", "limit=201", "converted=maybe", "person=x", "after=x"]
)
async def test_what_makes_no_sense_is_a_4xx(make_app: MakeApp, query: str) -> None:
    desk = await open_desk(make_app)
    for path in ("/api/sessions", "/sessions"):
        assert 400 <= (await desk.client.get(f"{path}?{query}")).status_code < 500, path
