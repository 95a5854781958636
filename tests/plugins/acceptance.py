"""What the product must do whichever plugins are there, and what each bundled plugin adds to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
from sqlalchemy import text

from chatnation import AuditRecord, Mailer, audit_of
from chatnation.testing import RunningApp, Source, identify, page_view, track, whatsapp_message

PHONE = "254700000001"
BROWSER = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"


async def accept(running: RunningApp) -> None:
    """Send a visit and a chat, and hold what became of them against what every active plugin promises."""
    source = await running.source(ip_mode="off")
    client = await running.client(await running.person(source.tenant))
    await _visit(running, source)
    await _the_core_stores_each_event_once_for_one_person(running, source)
    for plugin, promise in PROMISES.items():
        if running.app.inventory.runs(plugin):
            await promise(running, source, client)


async def _visit(running: RunningApp, source: Source) -> None:
    web = {"visitor": "a-browser", "session": "a-visit", "context": {"userAgent": BROWSER}}
    batch = [
        page_view("/start?utm_source=sms", **web),
        track("return_filed", {"obligation": "mri"}, **web),
        identify("A001234567Z", {"phone": PHONE}, **web),
        whatsapp_message(PHONE, "Habari"),
    ]
    for _ in range(2):
        answer = await running.ingest_and_drain(batch, source)
        assert answer == {"status": "success", "accepted": 4, "rejected": []}


async def _the_core_stores_each_event_once_for_one_person(running: RunningApp, source: Source) -> None:
    rows = await _rows(running, source, "SELECT event_name FROM events ORDER BY 1")
    assert [name for (name,) in rows] == ["identify", "message.received", "page_view", "return_filed"]
    persons = (
        "SELECT count(DISTINCT coalesce(m.person_id, e.person_id)) FROM events e LEFT JOIN person_merges m"
        " ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id WHERE e.channel_type = 'web'"
    )
    assert await _rows(running, source, persons) == [(1,)]


async def _geoip_finds_the_country_of_a_phone(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    query = "SELECT country_code FROM events WHERE channel_type = 'whatsapp'"
    assert await _rows(running, source, query) == [("KE",)]


async def _useragent_tells_a_phone_from_a_desktop(
    running: RunningApp, source: Source, client: httpx.AsyncClient
) -> None:
    query = "SELECT DISTINCT device_type, os_name FROM events_expanded WHERE channel_type = 'web'"
    assert await _rows(running, source, query) == [("mobile", "iOS")]


async def _sessions_makes_a_visit_and_a_chat(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    query = "SELECT channel_type, event_count, conversion_event, utm_source FROM sessions.sessions ORDER BY 1"
    assert await _rows(running, source, query) == [("web", 3, "return_filed", "sms"), ("whatsapp", 1, None, None)]


async def _dashboard_shows_its_pages(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    for path in ("/setup", "/settings/ingestion", "/settings/plugins"):
        page = await client.get(path, headers={"Accept": "text/html"})
        assert (path, page.status_code) == (path, 200)


async def _overview_counts_the_visit(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    page = await client.get("/overview", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "/start" in (await client.get("/overview/parts/pages")).text


async def _explorer_shows_what_came_and_of_whom(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    names = (await client.get("/api/events/distinct")).json()["data"]
    assert {each["event_name"]: each["count"] for each in names}["return_filed"] == 1
    (user,) = (await client.get("/api/sessions/search", params={"q": "A001234567Z"})).json()["users"]
    assert user["total_events"] == 3
    assert "return_filed" in (await client.get(f"/persons/{user['person_id']}", headers={"Accept": "text/html"})).text
    listed = (await client.get("/api/sessions?utm_source=sms")).json()
    assert listed.get("total") == (1 if running.app.inventory.runs("sessions") else None)


async def _trends_tells_the_visit_by_day(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    trend = (await client.get("/api/trends/conversions", params={"periods": 7})).json()
    assert trend["summary"]["total_conversions"] == trend["data"][-1]["conversions"] == 1
    page = await client.get("/trends", headers={"Accept": "text/html"})
    assert page.status_code == 200


async def _sdk_serves_the_tracker(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    assert "javascript" in (await client.get("/sdk.js")).headers["content-type"]


async def _segment_compat_takes_events_of_other_clients(
    running: RunningApp, source: Source, client: httpx.AsyncClient
) -> None:
    event = {"type": "track", "event": "Order Completed", "anonymousId": "another-browser"}
    response = await client.post("/v1/batch", json={"batch": [event]}, auth=(source.write_key, ""))
    assert response.status_code == 200, response.text
    await running.drain()
    query = "SELECT count(*) FROM events WHERE event_name = 'Order Completed'"
    assert await _rows(running, source, query) == [(1,)]


async def _funnels_counts_who_goes_on(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    page = await client.get("/funnel", params={"step": ["page_view", "return_filed"]}, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "page_view" in page.text
    download = await client.get("/funnel/table.csv", params={"step": ["page_view", "return_filed"]})
    assert [line.split(",")[1] for line in download.text.splitlines()] == ["reached", "1", "1"]


async def _journeys_tells_self_serve_from_assisted(
    running: RunningApp, source: Source, client: httpx.AsyncClient
) -> None:
    told = (await client.get("/api/journeys/overview")).json()
    assert (told["total_journeys"], told["handoffs"], told["bot_chat_only"]) == (0, 0, 1)
    part = await client.get("/journeys/parts/outcomes")
    assert "No journey began in this period." in part.text


async def _audit_keeps_what_was_done(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    record = AuditRecord(source.tenant.id, "config.team.created", resource_type="team", resource_id="support")
    async with running.app.storage.tenant(source.tenant.id) as connection:
        await audit_of(running.app).record(connection, record)
    found = (await client.get("/api/audit-logs", params={"action": record.action})).json()["items"]
    assert [row["resource_id"] for row in found] == ["support"]


async def _email_offers_to_send_mails(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    assert running.app.services.find(Mailer) is not None
    assert (await client.get("/settings/outbox", headers={"Accept": "text/html"})).status_code == 200


async def _media_keeps_a_file_and_hands_it_out(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    page = await client.get("/settings/media", headers={"Accept": "text/html"})
    token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    picture = b"GIF89a" + bytes(100)
    answer = await client.post(
        "/api/media/upload", files={"file": ("dot.gif", picture)}, headers={"X-CSRF-Token": token}
    )
    assert answer.status_code == 201, answer.text
    url = answer.json()["url"]
    assert (await client.get(url[url.index("/media/") :])).content == picture


async def _danger_zone_says_what_a_deletion_would_take(
    running: RunningApp, source: Source, client: httpx.AsyncClient
) -> None:
    preview = await client.get(f"/api/settings/danger-zone/preview/tenant/{source.tenant.slug}")
    assert preview.json()["counts"]["events"] >= 4


async def _ai_analytics_counts_what_people_want(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    event = track("ai.classification", {"detected_intent": "nil_filing", "confidence": 0.9}, user=PHONE, visitor=PHONE)
    await running.ingest_and_drain([event], source)
    answer = await client.get("/api/ai-analytics/intents")
    assert [(row["intent"], row["count"]) for row in answer.json()["data"]] == [("nil_filing", 1)]
    assert (await client.get("/ai-analytics", headers={"Accept": "text/html"})).status_code == 200


async def _whatsapp_analytics_counts_the_chat(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    stats = (await client.get("/api/whatsapp-analytics/stats")).json()
    assert (stats["messages_received"], stats["unique_contacts"], stats["new_contacts"]) == (1, 1, 1)


async def _csat_counts_the_first_rating_of_a_chat(
    running: RunningApp, source: Source, client: httpx.AsyncClient
) -> None:
    ratings = [track("csat_submitted", {"rating": rating, "inboxSessionId": "a-chat"}) for rating in (4, 1)]
    await running.ingest_and_drain(ratings, source)
    summary = (await client.get("/api/csat-analytics/dashboard")).json()["summary"]
    assert (summary["average_score"], summary["total_responses"], summary["revisions"]) == (4, 1, 1)


async def _insights_answers_any_question(running: RunningApp, source: Source, client: httpx.AsyncClient) -> None:
    part = await client.get("/insights/parts/answer", params={"event": "return_filed", "period": "today"})
    assert part.status_code == 200, part.text
    assert (await client.get("/insights", headers={"Accept": "text/html"})).status_code == 200


PROMISES: dict[str, Callable[[RunningApp, Source, httpx.AsyncClient], Awaitable[None]]] = {
    "geoip": _geoip_finds_the_country_of_a_phone,
    "useragent": _useragent_tells_a_phone_from_a_desktop,
    "sessions": _sessions_makes_a_visit_and_a_chat,
    "dashboard": _dashboard_shows_its_pages,
    "explorer": _explorer_shows_what_came_and_of_whom,
    "overview": _overview_counts_the_visit,
    "trends": _trends_tells_the_visit_by_day,
    "funnels": _funnels_counts_who_goes_on,
    "sdk": _sdk_serves_the_tracker,
    "journeys": _journeys_tells_self_serve_from_assisted,
    "audit": _audit_keeps_what_was_done,
    "email": _email_offers_to_send_mails,
    "media": _media_keeps_a_file_and_hands_it_out,
    "danger_zone": _danger_zone_says_what_a_deletion_would_take,
    "insights": _insights_answers_any_question,
    "ai_analytics": _ai_analytics_counts_what_people_want,
    "segment_compat": _segment_compat_takes_events_of_other_clients,
    "whatsapp_analytics": _whatsapp_analytics_counts_the_chat,
    "csat": _csat_counts_the_first_rating_of_a_chat,
}
"""What each bundled plugin adds, in load order."""


async def _rows(running: RunningApp, source: Source, query: str) -> list[tuple[object, ...]]:
    async with running.app.storage.tenant(source.tenant.id) as connection:
        return [tuple(row) for row in await connection.execute(text(query))]
