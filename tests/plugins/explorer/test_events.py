"""Events: live, searched, filtered, in detail, downloaded."""

from __future__ import annotations

import asyncio
import csv
import html
import io
import json
import re
from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import page_view, track
from tests.plugins.explorer.conftest import HTML, NOW, open_desk, send_history
from tests.plugins.recounting import events_behind


def number_of(value: object) -> float | None:
    """The number that a property is, or that its text says."""
    try:
        return float(str(value))
    except ValueError:
        return None


ROW = re.compile(r'data-id="([^"]+)"')


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "Europe/Berlin"])
async def test_lists_hold_each_event_of_people_once_newest_first(make_app: MakeApp, timezone: str) -> None:
    desk = await open_desk(make_app, timezone)
    await send_history(desk, seed=1)
    listed = [row async for row in desk.pages("/api/events", limit=17)]
    times = [datetime.fromisoformat(row["timestamp"]) for row in listed]
    assert times == sorted(times, reverse=True)
    assert Counter(row["event_name"] for row in listed) == Counter(each.name for each in desk.counted())
    day = (NOW - timedelta(days=3)).astimezone(desk.zone).date()
    of_day = [row async for row in desk.pages("/api/events", start_date=day, end_date=day)]
    assert len(of_day) == sum(each.at.astimezone(desk.zone).date() == day for each in desk.counted())
    bots = [row async for row in desk.pages("/api/events", bots=True)]
    assert len(bots) == len(desk.sent)


async def test_filters_by_any_field_narrow_as_a_recount_does(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=2)

    async def count(**filters: object) -> int:
        return len([row async for row in desk.pages("/api/events", **filters)])

    filed = desk.counted(name="return_filed", obligation="mri")
    assert filed
    assert await count(event_name="return_filed", **{"properties.obligation": "mri"}) == len(filed)
    neither = {"properties.obligation": ["mri", "unknown"], "event_name": ["return_filed", "app_error"]}
    expected = [
        each
        for each in desk.counted()
        if each.name in neither["event_name"] and each.obligation in ("mri", None)
    ]  # fmt: skip
    assert await count(**neither) == len(expected)
    assert await count(page_path="/mri") == await count(page="/mri") == len(desk.counted(path="/mri"))
    assert await count(channel="whatsapp") == len(desk.counted(channel="whatsapp"))
    assert await count(q="FILED") == len(desk.counted(name="return_filed"))
    named = [each for each in desk.counted() if each.who == "P003"]
    assert await count(**{"person.email": "P003@example.org"}) == len(named)


async def test_conditions_narrow_the_list_its_totals_and_its_download(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=3)
    where = ["properties.amount > 100", "event_name != app_error"]
    expected = [each for each in desk.counted() if (number_of(each.amount) or 0) > 100 and each.name != "app_error"]
    assert expected

    assert len([row async for row in desk.pages("/api/events", where=where)]) == len(expected)
    figures = await desk.page("/events/parts/figures", where=where)
    assert re.search(r'cn-kpi-value">(?:<a[^>]*>)?([\d,]+)', figures)[1] == f"{len(expected):,}"  # type: ignore[index]
    page = html.unescape(await desk.page("/events", where=where))
    assert "Where: properties.amount > 100" in re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))
    download = await desk.client.get(re.search(r'href="(/api/query/export\?format=csv[^"]+)"', page)[1])  # type: ignore[index]
    assert len(download.text.strip().splitlines()) - 1 == len(expected)


async def test_a_range_of_numbers_leads_to_as_many_events(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=3)
    part = await desk.page("/events/explore/parts/numbers", event_name="return_filed", property="amount")
    assert await events_behind(desk.client, part) > 0, part


async def test_a_value_that_is_called_unknown_is_found_as_are_those_without_any(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    intents: list[dict[str, object]] = [{"intent": "unknown"}, {}, {"intent": "greeting"}]
    await desk.app.ingest_and_drain([track("asked", said, at=NOW) for said in intents], desk.source)
    found = await desk.get("/api/events", event_name="asked", **{"properties.intent": "unknown"})
    assert [each["properties"].get("intent") for each in found["items"] if each["properties"]] == ["unknown"]
    assert len(found["items"]) == 2


async def test_totals_and_names_on_the_page_are_those_of_the_list(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=4)
    figures = await desk.page("/events/parts/figures", event_name="return_filed")
    filed = desk.counted(name="return_filed")
    values = re.findall(r'cn-kpi-value">(?:<a[^>]*>)?([\d,]+)', figures)
    assert values[:2] == [str(len(filed)), str(len({each.who for each in filed}))]
    download = (await desk.client.get("/events/names.csv")).text.lstrip("\ufeff")
    rows = {row[0]: int(row[1]) for row in list(csv.reader(io.StringIO(download)))[1:]}
    assert rows == Counter(each.name for each in desk.counted())
    names = (await desk.get("/api/events/distinct"))["data"]
    assert {each["event_name"]: each["count"] for each in names} == rows


async def test_windows_show_the_last_minutes_only(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    for minutes in (1, 10, 45, 200):
        await desk.app.ingest_and_drain([track(f"ago_{minutes}", at=NOW - timedelta(minutes=minutes))], desk.source)
    for window, seen in (("5", 1), ("15", 2), ("60", 3)):
        assert len(ROW.findall(await desk.page("/events", window=window))) == seen
        recent = await desk.get("/api/events/recent", since_minutes=window)
        assert len(recent["items"]) == seen
    assert len(ROW.findall(await desk.page("/events", window="5", period="7d"))) == 4, "a period wins"
    assert len((await desk.get("/api/events/recent", event_name="ago_10"))["items"]) == 1


async def test_a_stored_event_is_told_and_shown_at_once_through_the_filters_of_the_page(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    client = await desk.app.network_client(desk.admin)
    page = await desk.page("/events", event_name="hello")
    url = re.search(r'data-tail-url="([^"]+)"', page)
    assert url
    assert "data-tail-pause" in page
    kinds: list[str] = []

    async def listen() -> None:
        async with client.stream("GET", "/api/live", timeout=10) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    kinds.append(line.removeprefix("event: "))
                if {"events.stored", "events.rejected"} <= set(kinds):
                    return

    listening = asyncio.create_task(listen())
    async with asyncio.timeout(10):
        while not listening.done():
            wrong = {"event_name": "", "event_type": "track"}
            await desk.app.ingest_and_drain([track("hello"), track("other"), wrong], desk.source)
            await asyncio.sleep(0.1)
        await listening
    rows = await desk.page(url[1].replace("&amp;", "&"))
    assert "hello" in rows
    assert "other" not in rows
    assert "<html" not in rows


async def test_rejections_stand_beside_the_events(make_app: MakeApp) -> None:
    from chatnation.core.ingestion.ledger_copy import LedgerCopier

    desk = await open_desk(make_app)
    assert "data-tail-rejects" in await desk.page("/events")
    await desk.app.capture([{"event_name": "", "event_type": "track"}], desk.source)
    app = desk.app.app

    async def rejected() -> str:
        await LedgerCopier(app.redis, app.storage, app.settings.stream_partitions).copy()
        return await desk.page("/events")

    async with asyncio.timeout(10):
        while "events that were not accepted, 1 in this time" not in (page := await rejected()):
            await asyncio.sleep(0.1)
    assert "Tax app" in page


async def test_a_page_further_back_does_not_follow(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await desk.app.ingest_and_drain([track("x", at=NOW - timedelta(hours=n)) for n in range(120)], desk.source)
    seen: list[str] = []
    link: str | None = "/events"
    while link:
        page = await desk.page(link.replace("&amp;", "&"))
        assert ("data-tail-url" in page) == (link == "/events")
        seen += ROW.findall(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        link = older[1] if older else None
    assert len(seen) == len(set(seen)) == 120
    assert "data-tail-url" not in await desk.page("/events", start_date="2025-06-10", end_date="2025-06-12")


async def test_one_event_is_shown_with_everything_in_it(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    properties = {"deep": {"list": [1, "<b>"]}, "flag": True, "error_code": "E42"}
    await desk.app.ingest_and_drain([track("app_error", properties, user="A001")], desk.source)
    page = await desk.page("/events")
    assert re.search(r"bg-red-lt[^>]*>.*error E42", page, re.DOTALL)
    link = re.search(r'href="(/events/[0-9a-f-]{36}\?at=[^"]+)"', page)
    assert link
    alone = await desk.page(link[1])
    assert "&lt;b&gt;" in alone
    assert "<html" in alone
    partial = await desk.client.get(link[1], headers={**HTML, "X-Requested-With": "dialog"})
    assert "<html" not in partial.text
    assert "A001" in partial.text
    other = await desk.app.client(await desk.app.person((await desk.app.source("Soko")).tenant))
    assert (await other.get(link[1])).status_code == 404
    for wrong in (f"/events/{uuid4()}?at=2025-06-01T00:00:00Z", f"/events/{uuid4()}?at=soon", f"/events/{uuid4()}"):
        assert (await desk.client.get(wrong)).status_code == 404


async def test_events_of_a_session_are_found_by_its_id_or_the_clients(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    visitor, session, elsewhere = str(uuid4()), str(uuid4()), str(uuid4())
    web = {"visitor": visitor, "session": session}
    events = [page_view(f"/{n}", at=NOW - timedelta(minutes=n), **web) for n in range(5)]
    events += [page_view("/other", visitor=visitor, session=elsewhere), page_view("/not", session=session)]
    await desk.app.ingest_and_drain(events, desk.source)
    sessions = (await desk.get("/api/sessions"))["items"]
    mine = next(each for each in sessions if each["events"] == 5)
    found = (await desk.get("/api/events", session_id=mine["session_id"]))["items"]
    assert [event["page_path"] for event in found] == ["/4", "/3", "/2", "/1", "/0"]
    by_client = (await desk.get("/api/events", session_id=session))["items"]
    assert {event["page_path"] for event in by_client} == {"/0", "/1", "/2", "/3", "/4", "/not"}
    answer = await desk.client.get("/events", params={"q": session})
    assert answer.headers["location"] == f"/events?session={session}"
    assert len(ROW.findall(await desk.page("/events", session=session))) == 6
    assert (await desk.client.get("/api/events", params={"session_id": str(uuid4())})).status_code == 404
    by_visitor = await desk.client.get("/events", params={"q": visitor})
    assert "person=" in by_visitor.headers["location"]
    other = await desk.app.client(await desk.app.person((await desk.app.source("Soko")).tenant))
    assert (await other.get("/api/events", params={"session_id": session})).status_code == 404


async def test_a_download_has_every_event_and_no_formula(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    events = [track("=HYPERLINK(1)", {"n": n}, at=NOW - timedelta(minutes=n)) for n in range(70)]
    await desk.app.ingest_and_drain([*events, track("other")], desk.source)
    page = await desk.page("/events", event_name="=HYPERLINK(1)")
    links = [link.replace("&amp;", "&") for link in re.findall(r'href="(/api/query/export[^"]+)"', page)]
    assert len(links) == 2
    text = (await desk.client.get(links[0])).text
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert [row["event_name"] for row in rows] == ["'=HYPERLINK(1)"] * 70
    found = json.loads((await desk.client.get(links[1])).text)
    assert len(found["rows"]) == 70
    auditor = await desk.as_role(RoleName.AUDITOR)
    assert "/api/query/export" not in (await auditor.get("/events", headers=HTML)).text


async def test_an_empty_tenant_and_another_one_see_nothing(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    empty = await desk.app.source("Soko")
    await desk.app.ingest_and_drain([track("secret_name", user="secret-user")], desk.source)
    other = await desk.app.client(await desk.app.person(empty.tenant))
    for path in ("/events", "/events/rows", "/events/catalogue", "/events/explore", "/sessions", "/journey"):
        page = await other.get(path, headers=HTML)
        assert page.status_code == 200, path
        assert "secret" not in page.text, path
    assert "No events" in (await other.get("/events", headers=HTML)).text
    for path in ("/api/events", "/api/events/recent", "/api/sessions"):
        assert (await other.get(path)).json()["items"] == [], path
    assert (await other.get("/api/events/distinct")).json()["data"] == []
    assert (await other.get("/api/sessions/search?q=secret")).json()["users"] == []


@pytest.mark.parametrize(
    "query",
    [
        "where=properties.amount", "where=nothing+=+1",
        "window=7", "period=decade", "after=nonsense", "properties.=x", "person.=x", "session.nothing=x",
        "time.century=19", "person=me", "limit=0", "limit=1001", "session_id=1", "q=" + "x" * 201,
        "properties.a=" + "x" * 501, "&".join(f"properties.a{n}=1" for n in range(11)),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_a_4xx(make_app: MakeApp, query: str) -> None:
    desk = await open_desk(make_app)
    answer = await desk.client.get(f"/api/events?{query}")
    assert 400 <= answer.status_code < 500, answer.text


async def test_an_agent_sees_none_of_it(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    agent: httpx.AsyncClient = await desk.as_role(RoleName.AGENT)
    for path in ("/events", "/sessions", "/journey", "/events/catalogue", "/api/events", "/api/sessions/search?q=ab"):
        assert (await agent.get(path)).status_code == 403, path
