"""Persons: found by anything that is known of them, with one timeline across channels, and joined or split again."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import identify, page_view, track, whatsapp_message
from tests.plugins.explorer.conftest import NOW, Desk, open_desk, send_history


@pytest.fixture
async def desk(make_app: MakeApp) -> Desk:
    return await open_desk(make_app)


async def test_a_person_is_found_by_any_id_and_shown_with_everything_they_did(desk: Desk) -> None:
    visitor = str(uuid4())
    events = [page_view("/before", visitor=visitor), identify("A001", {"name": "Wanjiku <b>"}, visitor=visitor)]
    await desk.app.ingest_and_drain(events, desk.source)
    by_user = await desk.client.get("/journey", params={"q": "A001"})
    by_visitor = await desk.client.get("/journey", params={"q": visitor})
    assert by_user.status_code == by_visitor.status_code == 303
    assert by_user.headers["location"] == by_visitor.headers["location"]
    page = (await desk.client.get(by_user.headers["location"])).text
    assert "Wanjiku &lt;b&gt;" in page
    assert "/before" in page
    assert visitor in page
    assert "Nobody was found" in (await desk.client.get("/journey", params={"q": "B002"})).text
    assert (await desk.client.get(f"/persons/{uuid4()}")).status_code == 404
    other = await desk.app.client(await desk.app.person((await desk.app.source("Soko")).tenant))
    assert (await other.get(by_user.headers["location"])).status_code == 404


async def test_a_long_timeline_has_pages(desk: Desk) -> None:
    visitor = str(uuid4())
    await desk.app.ingest_and_drain(
        [page_view(f"/step-{n:03}", visitor=visitor, at=NOW - timedelta(minutes=29 * n)) for n in range(500)],
        desk.source,
    )
    address = (await desk.client.get("/journey", params={"q": visitor})).headers["location"] + "?all=1"
    seen: set[str] = set()
    link: str | None = address
    while link:
        page = (await desk.client.get(link.replace("&amp;", "&"))).text
        seen |= set(re.findall(r"/step-\d{3}", page))
        older = re.search(r'href="([^"]+)">Older', page)
        link = older[1] if older else None
    assert len(seen) == 500


async def test_persons_are_listed_by_their_latest_session_each_once(desk: Desk) -> None:
    visitor, phone = str(uuid4()), str(uuid4())
    assert "Nobody was here yet" in (await desk.client.get("/journey")).text
    await desk.app.ingest_and_drain(
        [
            page_view("/start", visitor=visitor),
            identify("A001", {"name": "Wanjiku"}, visitor=visitor),
            page_view("/again", visitor=phone),
            identify("A001", visitor=phone),
            page_view("/else"),
        ],
        desk.source,
    )
    page = (await desk.client.get("/journey")).text
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)[1:]
    assert len(rows) == 2
    wanjiku = next(row for row in rows if "Wanjiku" in row)
    assert re.search(r'cn-number">2</td>', wanjiku), "both browsers are hers"
    assert "A001" in wanjiku
    assert "not identified" in next(row for row in rows if "Wanjiku" not in row)
    other = await desk.app.client(await desk.app.person((await desk.app.source("Soko")).tenant))
    assert "Nobody was here yet" in (await other.get("/journey")).text


async def test_a_long_list_of_persons_has_pages(desk: Desk) -> None:
    await desk.app.ingest_and_drain([page_view("/start") for _ in range(120)], desk.source)
    seen: list[str] = []
    link: str | None = "/journey"
    while link:
        page = (await desk.client.get(link)).text
        seen += re.findall(r'<a class="fw-medium" href="/persons/([^"]+)"', page)
        earlier = re.search(r'href="([^"]+)"[^>]*>Earlier', page)
        link = earlier[1] if earlier else None
    assert len(seen) == len(set(seen)) == 120


async def test_the_old_address_of_the_list_leads_to_the_new_one(desk: Desk) -> None:
    answer = await desk.client.get("/persons?q=A001")
    assert (answer.status_code, answer.headers["location"]) == (308, "/journey?q=A001")


async def test_a_search_and_a_journey_have_true_totals(make_app: MakeApp) -> None:
    desk = await open_desk(make_app)
    await send_history(desk, seed=3)
    for who in ("P001", "P004", "254700000001"):
        mine = [each for each in desk.sent if each.who == who]
        (user,) = (await desk.get("/api/sessions/search", q=who))["users"]
        assert user["total_events"] == len(mine), who
        assert user["first_seen"][:19] == min(each.at for each in mine).isoformat()[:19]
        journey = await desk.get(f"/api/sessions/journey/{who}", limit=3)
        assert journey["user"]["total_events"] == len(mine)
        assert journey["user"]["total_sessions"] == user["total_sessions"] >= len(journey["sessions"]) > 0
        conversions = sum(session["converted_at"] is not None for session in journey["sessions"])
        assert journey["user"]["total_conversions"] == conversions
        seen = [event["message_id"] for event in journey["events"]]
        while journey["next_cursor"]:
            journey = await desk.get(f"/api/sessions/journey/{who}", limit=3, after=journey["next_cursor"])
            seen += [event["message_id"] for event in journey["events"]]
        assert len(seen) == len(set(seen)) == len(mine)
    assert (await desk.get("/api/sessions/search", q="person p00"))["users"]
    assert (await desk.client.get("/api/sessions/search?q=P")).status_code == 422
    assert (await desk.client.get("/api/sessions/journey/nobody")).status_code == 404


async def test_one_timeline_has_web_whatsapp_ai_and_agents(desk: Desk) -> None:
    phone, visitor = "254700000009", str(uuid4())
    chat = {"visitor": phone, "user": phone, "context": {"channel": "whatsapp", "externalId": phone}}
    at = NOW - timedelta(hours=2)
    sent = whatsapp_message(phone, "One moment <i>", sent=True, at=at + timedelta(seconds=40))
    receipt = {"messageId": sent["properties"]["messageId"]}
    events = [
        page_view("/mri", visitor=visitor, at=at - timedelta(minutes=2)),
        identify(phone, visitor=visitor, at=at - timedelta(minutes=1)),
        whatsapp_message(phone, "My <b>PIN</b>", at=at),
        track("ai.classification", {"detected_intent": "pin_help", "confidence": 0.87}, at=at, **chat),
        track("ai.error", {"error_type": "timeout", "recovered": False}, at=at, **chat),
        sent,
        track("message.read", receipt, at=at + timedelta(seconds=50), **chat),
        track("agent.handoff", {"agentName": "Amina", "handoffReason": "low_confidence"}, at=at, **chat),
        track("csat_submitted", {"rating": 4, "feedback": "Sawa"}, at=at + timedelta(minutes=5), **chat),
        page_view("/yesterday", visitor=visitor, at=at - timedelta(days=1)),
    ]
    await desk.app.ingest_and_drain(events, desk.source)
    address = (await desk.client.get("/journey", params={"q": phone})).headers["location"]
    page = await desk.page(address)
    for text in ("My &lt;b&gt;PIN&lt;/b&gt;", "pin_help · 87%", "timeout · not recovered", "Amina · low_confidence"):
        assert text in page, text
    assert "★★★★☆ · Sawa" in page
    assert re.search(r"checks|read", page)
    episodes = re.findall(
        r'<details class="card mb-3 cn-episode".*?(?=<details class="card mb-3 cn-episode"|$)', page, re.DOTALL
    )
    assert len(episodes) == 2, "yesterday's visit is one, today's visit and chat together are the other"
    assert "/yesterday" in episodes[1]
    newest = episodes[0]
    assert "cn-timeline-fold" in newest
    assert newest.index("/mri") < newest.index("My &lt;b&gt;PIN")
    assert newest.index("One moment &lt;i&gt;") < newest.index("Sawa")
    assert "cn-timeline-fold" not in await desk.page(f"{address}?all=1")


async def test_a_merge_is_undone_and_taken_back_and_both_are_recorded(desk: Desk) -> None:
    visitor = str(uuid4())
    await desk.app.ingest_and_drain([page_view("/a", visitor=visitor), identify("A001", visitor=visitor)], desk.source)

    async def total(who: str) -> int:
        return int((await desk.get(f"/api/sessions/journey/{who}"))["user"]["total_events"])

    async def press(word: str) -> None:
        address = (await desk.client.get("/journey", params={"q": "A001"})).headers["location"]
        page = await desk.page(address)
        action = re.search(rf'action="(/persons/[^"]+/log/\d+/{word})"', page)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert action
        assert token
        done = await desk.client.post(action[1], data={"csrf_token": token[1]})
        assert done.status_code == 303

    assert await total("A001") == await total(visitor) == 2
    await press("undo")
    assert (await total("A001")) + (await total(visitor)) == 2
    await press("redo")
    assert await total("A001") == await total(visitor) == 2
    records = (await desk.get("/api/audit-logs"))["items"]
    assert {"person.split", "person.joined"} <= {record["action"] for record in records}


async def test_undoing_needs_its_permission_and_an_entry_of_this_person(desk: Desk) -> None:
    visitor = str(uuid4())
    events = [page_view("/a", visitor=visitor), identify("A001", visitor=visitor), identify("B001")]
    await desk.app.ingest_and_drain(events, desk.source)
    mine = (await desk.client.get("/journey", params={"q": "A001"})).headers["location"]
    other = (await desk.client.get("/journey", params={"q": "B001"})).headers["location"]
    page = await desk.page(mine)
    entry = re.search(r"/log/(\d+)/undo", page)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert entry
    assert token
    wrong = await desk.client.post(f"{other}/log/{entry[1]}/undo", data={"csrf_token": token[1]})
    assert wrong.status_code == 404
    auditor = await desk.as_role(RoleName.AUDITOR)
    looked = (await auditor.get(mine, headers={"Accept": "text/html"})).text
    assert "/undo" not in looked
    assert "export.json" not in looked
    assert (await auditor.get(f"{mine}/export.json")).status_code == 403


async def test_an_export_hands_out_everything_and_is_recorded(desk: Desk) -> None:
    await desk.app.ingest_and_drain([track("x", {"y": 1}, user="A001"), track("z", user="B001")], desk.source)
    address = (await desk.client.get("/journey", params={"q": "A001"})).headers["location"]
    answer = await desk.client.get(f"{address}/export.json")
    assert answer.headers["content-disposition"].startswith("attachment")
    exported = json.loads(answer.text)
    assert [event["event_name"] for event in exported["events"]] == ["x"]
    assert len(exported["sessions"]) == 1
    records = (await desk.get("/api/audit-logs", action="person.exported"))["items"]
    assert [record["resource_id"] for record in records] == [address.removeprefix("/persons/")]


@pytest.mark.parametrize("query", ["before=soon", "before=2025-01-01", "after=nonsense"])
async def test_an_address_that_nobody_gave_out_is_a_4xx(desk: Desk, query: str) -> None:
    await desk.app.ingest_and_drain([track("x", user="A001")], desk.source)
    address = (await desk.client.get("/journey", params={"q": "A001"})).headers["location"]
    assert 400 <= (await desk.client.get(f"{address}?{query}")).status_code < 500
