"""The protocol line by line, with requests as the SDKs send them. Numbers are lines of the conformance list."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chatnation import IngestLedger
from chatnation.plugins.segment_compat.pixel import GIF
from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing.apps import MakeApp, RunningApp
from tests.plugins.segment_compat.conftest import PATIENCE, Counter, open_counter

ORIGIN = "https://shop.example"
BROWSER = {"Origin": ORIGIN, "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0"}


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def track(event: str = "Clicked", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": "u1", "messageId": f"m-{event}", **fields}


async def test_1_python_segment_sends_null_ids_offsets_and_the_key_twice(counter: Counter) -> None:
    key = counter.source.write_key
    body = {
        "batch": [
            {
                "integrations": {}, "anonymousId": None, "properties": {}, "event": "Signed Up", "type": "track",
                "timestamp": "2026-11-22T12:02:30.128096+00:00", "messageId": "2f7c1a54-0000-4000-8000-000000000001",
                "context": {"library": {"name": "analytics-python", "version": "2.4.0"}}, "userId": "u1",
            }
        ],
        "sentAt": "2026-11-22T12:02:31.128096+00:00",
        "writeKey": key,
    }  # fmt: skip
    for headers in ({}, {"Content-Encoding": "gzip"}):
        raw = json.dumps(body).encode()
        sent = gzip.compress(raw) if headers else raw
        response = await counter.post("/v1/batch", sent, key=None, headers={**basic(key), **headers})
        assert (response.status_code, response.json()) == (200, {"success": True})

    events = await counter.arrived(2)

    assert [event.anonymous_id for event in events] == [None, None]
    assert events[0].message_id == events[1].message_id


async def test_2_python_rudder_keeps_traits_in_the_context_alone(counter: Counter) -> None:
    call = {
        "type": "identify", "userId": "u1", "anonymousId": "a1", "messageId": "x",
        "context": {"traits": {"email": "a@example.org"}}, "integrations": {"All": True}, "channel": "server",
    }  # fmt: skip
    body = gzip.compress(json.dumps({"batch": [call], "sentAt": "2026-11-22T12:02:30Z"}).encode())

    response = await counter.post(
        "/v1/batch", body, key=None, headers={**basic(counter.source.write_key), "Content-Encoding": "gzip"}
    )

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    (event,) = await counter.arrived(1)
    assert json.loads(event.properties) == {"email": "a@example.org"}


async def test_3_node_segment_has_ids_that_are_no_uuids(counter: Counter) -> None:
    message_id = "node-next-1795348950123-2f7c1a54-0000-4000-8000-000000000001"
    call = track(messageId=message_id, _metadata={"nodeVersion": "20"}, context={"library": {"name": "n"}})

    await counter.post("/v1/batch", {"batch": [call], "writeKey": counter.source.write_key}, key=None)

    (event,) = await counter.arrived(1)
    assert event.message_ref == message_id


async def test_4_node_rudder_sends_a_gzipped_form_with_another_name_for_the_time(counter: Counter) -> None:
    call = track(originalTimestamp="2026-11-22T12:02:30.123Z", sentAt="2026-11-22T12:02:31.000Z")
    body = {"batch": [call], "sentAt": "2026-11-22T12:02:31.000Z", "timestamp": "2026-11-22T12:02:31.000Z"}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"}

    response = await counter.post(
        "/v1/batch", gzip.compress(json.dumps(body).encode()), key=None,
        headers={**basic(counter.source.write_key), **headers},
    )  # fmt: skip

    assert response.status_code == 200
    (event,) = await counter.arrived(1)
    claimed = event.claimed_at or event.timestamp
    assert claimed == datetime(2026, 11, 22, 12, 2, 30, 123000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("/v1/t", "track", "Clicked"), ("/v1/i", "identify", "identify"), ("/v1/p", "page", "page_view"),
        ("/v1/s", "screen", "screen_view"), ("/v1/g", "group", "group"), ("/v1/a", "alias", "alias"),
        ("/v1/track", "track", "Clicked"), ("/v1/identify", "identify", "identify"), ("/v1/page", "page", "page_view"),
        ("/v1/screen", "screen", "screen_view"), ("/v1/group", "group", "group"), ("/v1/alias", "alias", "alias"),
    ],
)  # fmt: skip
async def test_5_the_path_of_a_single_call_decides_its_type(counter: Counter, path: str, kind: str, name: str) -> None:
    call = {
        "type": "nonsense", "event": "Clicked", "userId": None, "anonymousId": "a1", "messageId": "ajs-next-1-x",
        "groupId": "g1", "previousId": "old", "writeKey": counter.source.write_key, "sentAt": None,
    }  # fmt: skip
    for slash in ("", "/"):
        response = await counter.post(
            path + slash, json.dumps(call).encode(), key=None, headers={**BROWSER, "Content-Type": "text/plain"}
        )
        assert (response.status_code, response.json()) == (200, {"success": True})
        assert response.headers["access-control-allow-origin"] == ORIGIN

    for event in await counter.arrived(2):
        assert (event.event_type, event.event_name, event.user_id) == (kind, name, None)
        assert event.ip_address == "127.0.0.0"
        assert event.user_agent == BROWSER["User-Agent"]


async def test_6_browser_batches_repeat_the_key_in_every_item(counter: Counter) -> None:
    key = counter.source.write_key
    calls = [{**track(f"e{n}"), "writeKey": key} for n in range(3)]

    response = await counter.post(
        "/v1/b", {"batch": calls, "sentAt": "2026-11-22T12:02:30Z"}, key=None, headers=BROWSER
    )

    assert response.status_code == 200
    assert len(await counter.arrived(3)) == 3


async def test_7_rudder_in_the_browser_asks_first_and_writes_absent_ids_as_empty(counter: Counter) -> None:
    preflight = await counter.client.options(
        "/v1/page",
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "anonymousid,authorization,content-type,sentat",
        },
    )
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert preflight.headers["access-control-allow-credentials"] == "true"
    allowed = preflight.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("anonymousid", "authorization", "sentat"))

    call = {
        "type": "page", "userId": "", "anonymousId": "a1", "messageId": "x", "category": None, "name": "Home",
        "originalTimestamp": "2026-11-22T12:02:30Z",
        "context": {"sessionId": 1795348950123, "page": {"path": "/", "referrer": "$direct"}},
    }  # fmt: skip
    headers = {**basic(counter.source.write_key), **BROWSER, "AnonymousId": "YTE=", "SentAt": "2026-11-22T12:02:31Z"}
    response = await counter.post("/v1/page", call, key=None, headers=headers)

    assert response.status_code == 200
    (event,) = await counter.arrived(1)
    assert (event.user_id, event.page_path, event.referrer) == (None, "/", None)
    assert event.skew_ms is not None, "the header stands in for the body's time of sending"
    assert event.session_id is not None


async def test_7_equal_session_numbers_of_two_visitors_are_two_sessions(counter: Counter) -> None:
    context = {"sessionId": 1795348950123}
    calls = [track(f"e{n}", anonymousId=f"a{n}", context=context) for n in range(2)]

    await counter.post("/v1/batch", {"batch": calls})

    first, second = await counter.arrived(2)
    assert first.session_id != second.session_id


async def test_8_rudder_in_the_browser_sends_batches_of_calls_that_end_with_their_own_time_of_sending(
    counter: Counter,
) -> None:
    calls = [
        {
            "type": "track", "event": f"e{n}", "userId": "", "anonymousId": "a1", "messageId": f"m{n}",
            "channel": "web", "originalTimestamp": "2026-11-22T12:02:30.000Z", "sentAt": "2026-11-22T12:02:31.000Z",
            "integrations": {"All": True}, "context": {"sessionId": 1795348950123, "sessionStart": n == 0},
        }
        for n in range(2)
    ]  # fmt: skip
    body = {"batch": calls, "sentAt": "2026-11-22T12:02:31.000Z"}
    headers = {**basic(counter.source.write_key), **BROWSER, "Content-Type": "application/json;charset=UTF-8"}

    response = await counter.post("/v1/batch", json.dumps(body).encode(), key=None, headers=headers)

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, ORIGIN)
    first, second = await counter.arrived(2)
    assert (first.event_name, second.event_name) == ("e0", "e1")
    assert first.session_id == second.session_id is not None
    assert first.ip_address == "127.0.0.0"


async def test_9_a_beacon_has_its_key_in_the_address_alone(counter: Counter) -> None:
    response = await counter.post(
        f"/beacon/v1/batch?writeKey={counter.source.write_key}",
        json.dumps({"batch": [track()]}).encode(),
        key=None,
        headers={**BROWSER, "Content-Type": "text/plain"},
    )

    assert (response.status_code, response.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert len(await counter.arrived(1)) == 1


async def test_10_kotlin_sends_chunks_without_a_length(counter: Counter) -> None:
    squeezed = gzip.compress(json.dumps({"batch": [track()], "writeKey": counter.source.write_key}).encode())

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(squeezed), 20):
            yield squeezed[start : start + 20]

    response = await counter.client.post(
        "/v1/b", content=chunks(), headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    )

    assert response.status_code == 200
    assert len(await counter.arrived(1)) == 1


async def test_11_java_sends_a_slash_a_sequence_and_a_context_for_all(counter: Counter) -> None:
    own = {"userAgent": "Mine", "page": {"path": "/own"}}
    body = {
        "batch": [track("a"), track("b", context=own)],
        "context": {"library": {"name": "analytics-java", "version": "3"}, "page": {"path": "/shared"}},
        "sequence": 1,
    }

    assert (await counter.post("/v1/import/", body)).status_code == 200

    shared, owned = await counter.arrived(2)
    assert (shared.page_path, owned.page_path) == ("/shared", "/own")
    assert shared.sdk_name == owned.sdk_name == "analytics-java"


@pytest.mark.parametrize("body", [b'{"batch":[]}', b"{", b"[]", b"null", b'{"batch":{}}', b"\xff" * 10])
async def test_12_every_answer_is_json_with_what_each_sdk_reads(counter: Counter, body: bytes) -> None:
    for key in ("", "wrong", None):
        response = await counter.post("/v1/batch", body, key=key, headers={"Origin": ORIGIN})
        answer = response.json()
        assert response.status_code in (400, 401)
        assert answer["code"]
        assert answer["message"] == answer["error"]
        assert response.headers["access-control-allow-origin"] == ORIGIN


async def test_12_errors_hold_the_words_that_android_looks_for(counter: Counter) -> None:
    wrong = await counter.post("/v1/batch", {"batch": [track()]}, key="wrong")
    nobody = await counter.post("/v1/track", {"event": "x", "userId": "", "anonymousId": None})

    assert "invalid write key" in wrong.text.lower()
    assert nobody.status_code == 400
    assert "request neither has anonymousId nor userId" in nobody.text


async def test_13_a_pixel_is_a_picture_whatever_happens(counter: Counter) -> None:
    key = counter.source.write_key
    fields = "anonymousId=a1&event=Opened&properties.mail=welcome&context.page.path=%2Fmail"
    for query in (f"writeKey={key}&{fields}", f"writeKey=wrong&{fields}", "", f"writeKey={key}", "a.b=1&a=2&a.b.c=3"):
        response = await counter.client.get(f"/pixel/v1/track?{query}")
        assert (response.status_code, response.headers["content-type"]) == (200, "image/gif")
        assert response.content == GIF

    (event,) = await counter.arrived(1)
    assert (event.event_name, event.page_path, event.ip_address) == ("Opened", "/mail", "127.0.0.0")
    assert json.loads(event.properties) == {"mail": "welcome"}


async def test_13_a_pixel_may_tell_of_a_page(counter: Counter) -> None:
    query = f"writeKey={counter.source.write_key}&userId=u1&name=Terms&properties.url=https%3A%2F%2Fa.example%2Fterms"

    await counter.client.get(f"/pixel/v1/page/?{query}", headers={"User-Agent": BROWSER["User-Agent"]})

    (event,) = await counter.arrived(1)
    assert (event.event_name, event.user_id, event.page_url) == ("page_view", "u1", "https://a.example/terms")
    assert event.user_agent == BROWSER["User-Agent"]


async def test_13_a_pixel_is_a_picture_over_the_rate_and_when_the_stream_is_full(make_app: MakeApp) -> None:
    for limits in ({"rate_limit_per_key": 1}, {"rate_limit_per_ip": 1}, {"stream_max_events": 1}):
        counter = await open_counter(await make_app(SegmentCompatPlugin, settings=limits))
        for _ in range(3):
            path = f"/pixel/v1/track?writeKey={counter.source.write_key}&anonymousId=a1&event=Opened"
            response = await counter.client.get(path)
            assert (response.status_code, response.content) == (200, GIF)
        assert len(await counter.events()) == 1


async def rejections(counter: Counter, count: int) -> dict[str, int]:
    """How many calls of the project the ledger says were refused, by reason, once they are `count` in all."""
    ledger = counter.app.app.services.get(IngestLedger)
    found: dict[str, int] = {}
    deadline = time.monotonic() + PATIENCE
    while sum(found.values()) < count and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        now = datetime.now(UTC)
        told = await ledger.rejections(counter.source.tenant.id, now - timedelta(hours=1), now + timedelta(hours=1))
        found = {told.reason: told.count for told in told if told.project_id == counter.source.project.id}
    return found


async def stored(app: RunningApp, project_id: int) -> list[str]:
    async with app.app.storage.system("look at what a test stored") as connection:
        rows = await connection.execute(
            text("SELECT message_ref FROM events WHERE project_id = :project ORDER BY message_ref"),
            {"project": project_id},
        )
        return [row.message_ref for row in rows]


@pytest.mark.parametrize("skew", [None, timedelta(), timedelta(days=3), -timedelta(days=3)], ids=str)
@pytest.mark.parametrize("resealed", [False, True], ids=["same-time-of-sending", "new-time-of-sending"])
async def test_14_a_batch_that_comes_again_and_one_that_overlaps_store_each_call_once(
    segment_app: RunningApp, counter: Counter, skew: timedelta | None, resealed: bool
) -> None:
    now = datetime.now(UTC) + (skew or timedelta())
    times = {"timestamp": (now - timedelta(minutes=9)).isoformat()} if skew is not None else {}
    calls = [track(str(number), **times) for number in range(4)]
    for attempt, batch in enumerate((calls[:3], calls[:3], calls[1:])):
        sent_at = now + timedelta(seconds=7 * attempt if resealed else 0)
        response = await counter.post("/v1/batch", {"batch": batch, "sentAt": sent_at.isoformat()})
        assert response.status_code == 200

    await segment_app.drain()

    assert await stored(segment_app, counter.source.project.id) == ["m-0", "m-1", "m-2", "m-3"]


async def test_15_equal_message_ids_of_two_projects_are_two_events(segment_app: RunningApp, counter: Counter) -> None:
    same_tenant = await open_counter(segment_app, tenant=counter.source.tenant)
    body = {"batch": [track(messageId="2f7c1a54-0000-4000-8000-000000000009", timestamp=datetime.now(UTC).isoformat())]}
    for each in (counter, same_tenant):
        assert (await each.post("/v1/batch", body)).status_code == 200

    await segment_app.drain()

    for each in (counter, same_tenant):
        assert len(await stored(segment_app, each.source.project.id)) == 1


async def test_16_a_bad_item_costs_no_good_one_and_is_reported(counter: Counter) -> None:
    batch = [
        track("good"),
        {"type": "track", "userId": "u"},
        {"event": "no type", "userId": "u"},
        track("nobody", userId=None),
        7,
    ]

    quiet = await counter.post("/v1/batch", {"batch": batch})
    told = await counter.post("/v1/batch", {"batch": batch}, headers={"X-Want-Results": "1"})

    assert (quiet.status_code, quiet.json()) == (200, {"success": True})
    answer = told.json()
    assert (told.status_code, answer["success"], answer["accepted"]) == (200, True, 1)
    assert [(found["index"], found["code"]) for found in answer["rejected"]] == [
        (1, "missing_event_name"),
        (2, "unknown_type"),
        (3, "no_user_anon_id"),
        (4, "invalid_event"),
    ]
    assert answer["rejected"][2]["message_id"] == "m-nobody"
    assert [event.event_name for event in await counter.arrived(2)] == ["good", "good"]
    reasons = await rejections(counter, 8)
    assert reasons == {"missing_event_name": 2, "unknown_type": 2, "no_user_anon_id": 2, "invalid_event": 2}


@pytest.mark.parametrize("skew", [timedelta(days=3), -timedelta(days=3)])
async def test_17_a_clock_that_is_off_is_corrected_to_the_second(counter: Counter, skew: timedelta) -> None:
    now = datetime.now(UTC)
    happened = now - timedelta(minutes=7)
    body = {"batch": [track(timestamp=(happened + skew).isoformat())], "sentAt": (now + skew).isoformat()}

    await counter.post("/v1/batch", body)

    (event,) = await counter.arrived(1)
    assert abs(event.timestamp - happened) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/track", json.dumps(track(properties={"x": "y" * 33 * 1024})).encode(), 413),
        ("/v1/batch", json.dumps({"batch": [track(properties={"x": "y" * 1000})] * 501}).encode(), 413),
        ("/v1/batch", json.dumps({"batch": [{}] * 2501}).encode(), 413),
        ("/v1/batch", b'{"batch":[', 400),
        ("/v1/batch", gzip.compress(b" " * 10_000_000), 413),
        ("/v1/batch", b'{"batch":[{"type":"track","event":"a","userId":"u","properties":' + b"[" * 5000, 400),
    ],
    ids=["call", "batch", "calls", "json", "bomb", "nested"],
)
async def test_20_what_is_too_large_or_broken_is_refused(counter: Counter, path: str, body: bytes, status: int) -> None:
    started = datetime.now(UTC)

    response = await counter.post(path, body)

    assert response.status_code == status
    assert datetime.now(UTC) - started < timedelta(seconds=5)
    assert await counter.events() == []


async def test_20_a_call_that_is_too_large_costs_its_batch_nothing_else(counter: Counter) -> None:
    batch = [track("small"), track("large", properties={"x": "y" * 33 * 1024})]

    answer = (await counter.post("/v1/batch", {"batch": batch}, headers={"X-Want-Results": "1"})).json()

    assert [(found["index"], found["code"]) for found in answer["rejected"]] == [(1, "event_too_large")]
    assert [event.event_name for event in await counter.arrived(1)] == ["small"]


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/v1/batch", 600_000, 200),
        ("/v1/track", 600_000, 200),
        ("/v1/batch", 4_000 * 1024, 413),
        ("/v1/track", 4_000 * 1024, 413),
    ],
)
async def test_20_the_sdks_of_rudderstack_may_send_as_much_as_they_do(
    counter: Counter, path: str, size: int, status: int
) -> None:
    call = track("large", channel="server", properties={"x": "y" * size})

    response = await counter.post(path, {"batch": [call]} if path == "/v1/batch" else call)

    assert response.status_code == status
    assert len(await counter.arrived(1 if status == 200 else 0)) == (1 if status == 200 else 0)


async def test_21_a_server_s_call_has_neither_address_nor_device(counter: Counter) -> None:
    library = {"library": {"name": "analytics-python", "version": "2.4.0"}}
    headers = {"User-Agent": "analytics-python/2.4.0"}
    calls = [
        track("plain", context=library),
        track("stated", context={**library, "ip": "41.90.1.77"}),
        track("direct", context={**library, "direct": True}),
        track("rudder", channel="server"),
        track("rudder stated", channel="server", context={"ip": "41.90.1.77"}),
        track("rudder direct", channel="server", context={"direct": True}),
        track("of a phone", context={**library, "device": {"model": "Pixel"}, "os": {"name": "Android"}}),
        track("of a client of its own", context={"library": {"name": "axios-segment"}}),
    ]
    await counter.post("/v1/batch", {"batch": calls}, headers=headers)

    events = {event.event_name: event for event in await counter.arrived(8)}

    assert events["plain"].ip_address is None
    assert events["stated"].ip_address == "41.90.1.0"
    assert events["direct"].ip_address == "127.0.0.0"
    assert events["rudder"].ip_address is None
    assert events["rudder stated"].ip_address == "41.90.1.0"
    assert events["rudder direct"].ip_address == "127.0.0.0"
    assert events["of a phone"].ip_address is None
    assert events["of a client of its own"].ip_address is None
    assert all(event.user_agent is None for event in events.values())


async def test_21_one_call_of_a_server_keeps_the_address_out_of_its_whole_batch(counter: Counter) -> None:
    calls = [track("phone", channel="mobile"), track("server", channel="server")]

    await counter.post("/v1/batch", {"batch": calls}, headers={"User-Agent": "relay/1"})

    assert [event.ip_address for event in await counter.arrived(2)] == [None, None]


@pytest.mark.parametrize(
    ("channel", "fields", "stored"),
    [
        ("server", {"userId": "u1"}, "server"),
        ("server", {"userId": "u1", "anonymousId": "a1"}, "web"),
        ("browser", {"userId": "u1"}, "web"),
        ("mobile", {"userId": "u1"}, "mobile"),
        ("sources", {"userId": "u1"}, "web"),
        (None, {"userId": "u1", "context": {"device": {"id": "d"}, "os": {"name": "iOS"}}}, "mobile"),
    ],
)
async def test_where_it_happened_is_told_by_the_channel(
    counter: Counter, channel: str | None, fields: dict[str, Any], stored: str
) -> None:
    await counter.post("/v1/batch", {"batch": [{**track(), "channel": channel, **fields}]})

    (event,) = await counter.arrived(1)
    assert event.channel_type == stored


async def test_a_page_call_may_tell_of_its_page_in_the_properties_alone(counter: Counter) -> None:
    page = {"path": "/docs", "url": "https://a.example/docs?utm_source=mail", "title": "Docs", "referrer": "$direct"}
    calls = [
        {"type": "page", "userId": "u1", "name": "Docs", "category": None, "properties": {**page, "name": "Docs"}},
        {"type": "page", "userId": "u1", "properties": page, "context": {"page": {"path": "/own", "title": None}}},
        track(properties=page),
    ]

    await counter.post("/v1/batch", {"batch": calls})

    told, stated, tracked = await counter.arrived(3)
    assert (told.page_path, told.page_url, told.page_title, told.referrer) == (
        "/docs", "https://a.example/docs?utm_source=mail", "Docs", None,
    )  # fmt: skip
    assert json.loads(told.properties) == {**page, "name": "Docs"}
    assert (stated.page_path, stated.page_title) == ("/own", "Docs")
    assert tracked.page_path is None


@pytest.mark.parametrize("absent", [None, ""])
async def test_null_and_empty_text_are_absent_everywhere(counter: Counter, absent: str | None) -> None:
    ids = {"anonymousId": absent, "timestamp": absent, "originalTimestamp": absent, "messageId": absent}
    rest = {"context": absent, "integrations": absent, "properties": absent, "traits": absent, "sentAt": absent}
    calls = [track("a", **ids, **rest), {"type": "group", "groupId": "g1", "userId": "u1", **rest}]

    response = await counter.post("/v1/batch", {"batch": calls, "sentAt": absent, "context": absent})

    assert response.status_code == 200
    first, group = await counter.arrived(2)
    assert (first.user_id, first.anonymous_id, first.message_ref, first.has_claim) == ("u1", None, None, False)
    assert json.loads(group.properties) == {"group_id": "g1"}
    nobody = await counter.post("/v1/track", {"event": "x", "userId": absent, "anonymousId": absent})
    assert nobody.status_code == 400


async def test_ids_that_are_numbers_become_text(counter: Counter) -> None:
    call = {"type": "track", "event": "Paid", "userId": 4711, "anonymousId": 12, "messageId": 99}

    await counter.post("/v1/batch", {"batch": [call, {**call, "anonymousId": "12"}]})

    first, second = await counter.arrived(2)
    assert (first.user_id, first.message_ref) == ("4711", "99")
    assert first.anonymous_id == second.anonymous_id


async def test_php_writes_empty_objects_as_empty_arrays(counter: Counter) -> None:
    calls = [
        track("a", properties=[], context=[], integrations=[]),
        {"type": "identify", "userId": "u1", "traits": []},
    ]

    await counter.post("/v1/batch", {"batch": calls, "context": []})

    assert [event.properties for event in await counter.arrived(2)] == [b"{}", b"{}"]


async def test_numbers_that_are_no_json_become_null_and_unknown_keys_are_ignored(counter: Counter) -> None:
    body = (
        b'\xef\xbb\xbf{"batch":[{"type":"track","event":"Paid","userId":"u1","version":2,"_metadata":{"x":[]},'
        b'"properties":{"a":NaN,"b":[Infinity,-Infinity]},"context":{"strange":{"er":1}},"writeKey":7}],"strange":1}'
    )

    assert (await counter.post("/v1/batch", body)).status_code == 200

    (event,) = await counter.arrived(1)
    assert json.loads(event.properties) == {"a": None, "b": [None, None]}


async def test_traits_of_a_call_win_over_those_remembered_in_its_context(counter: Counter) -> None:
    context = {"traits": {"name": "Old", "plan": "gold"}}
    calls = [
        {"type": "identify", "userId": "u1", "traits": {"name": "New", "phone": None}, "context": context},
        track(context=context),
    ]

    await counter.post("/v1/batch", {"batch": calls})

    identified, tracked = await counter.arrived(2)
    assert json.loads(identified.properties) == {"name": "New", "plan": "gold", "phone": None}
    assert json.loads(tracked.properties) == {}


@pytest.mark.parametrize(
    ("path", "call", "reason"),
    [
        ("/v1/track", {"userId": "u1"}, "missing_event_name"),
        ("/v1/group", {"userId": "u1"}, "missing_group_id"),
        ("/v1/alias", {"userId": "u1"}, "missing_previous_id"),
        ("/v1/track", {"userId": "u1", "event": "x", "properties": [1]}, "invalid_field"),
    ],
)
async def test_a_single_call_without_what_it_needs_is_answered_well_and_reported(
    counter: Counter, path: str, call: dict[str, Any], reason: str
) -> None:
    response = await counter.post(path, call)

    assert (response.status_code, response.json()) == (200, {"success": True})
    assert await rejections(counter, 1) == {reason: 1}
    assert await counter.events() == []


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"', b"", b"{"])
async def test_a_single_call_that_is_no_object_is_refused(counter: Counter, body: bytes) -> None:
    response = await counter.post("/v1/track", body)

    assert response.status_code == 400
    assert response.json()["code"] in {"invalid_json", "invalid_call"}


async def test_every_refusal_can_be_read_by_every_sdk(make_app: MakeApp) -> None:
    app = await make_app(SegmentCompatPlugin, settings={"rate_limit_per_key": 3})
    counter = await open_counter(app, allowed_origins=(ORIGIN,))
    refusals = [
        await counter.post("/v1/track", track(), headers={"Origin": "https://evil.example"}),
        await counter.post("/v1/batch", b"x", headers={"Origin": ORIGIN, "Content-Encoding": "br"}),
        await counter.client.get("/v1/batch", headers={"Origin": ORIGIN}),
        await counter.client.put("/v1/track/", headers={"Origin": ORIGIN}),
        *[await counter.post("/v1/track", track(), headers={"Origin": ORIGIN}) for _ in range(4)],
    ]

    assert [answer.status_code for answer in refusals] == [403, 415, 405, 405, 200, 200, 200, 429]
    for answer in refusals:
        assert answer.headers["access-control-allow-origin"] in {answer.request.headers["origin"], "*"}
        if answer.status_code != 200:
            assert answer.json()["code"]
            assert answer.json()["message"] == answer.json()["error"] != ""
    assert refusals[-1].headers["retry-after"] == refusals[-1].headers["x-ratelimit-reset"]
    assert {"retry-after", "x-ratelimit-reset"} <= {
        name.strip().lower() for name in refusals[-1].headers["access-control-expose-headers"].split(",")
    }


async def test_an_alias_of_an_id_to_itself_is_no_error(counter: Counter) -> None:
    for same in ("u1", 7):
        response = await counter.post("/v1/a", {"userId": str(same), "previousId": same})
        assert response.status_code == 200

    assert [(event.user_id, event.previous_id) for event in await counter.arrived(2)] == [("u1", None), ("7", None)]


async def test_a_merge_call_is_an_alias(counter: Counter) -> None:
    pair = [{"type": "userId", "value": "new"}, {"type": "userId", "value": "old"}]

    assert (await counter.post("/v1/merge", {"type": "merge", "mergeProperties": pair})).status_code == 200

    (event,) = await counter.arrived(1)
    assert (event.event_name, event.user_id, event.previous_id) == ("alias", "new", "old")


@pytest.mark.parametrize("order", [1, -1])
async def test_13_calls_that_join_ids_make_one_person_in_any_order(
    segment_app: RunningApp, counter: Counter, order: int
) -> None:
    browser, phone = "6d1b6a40-0000-4000-8000-000000000001", "6d1b6a40-0000-4000-8000-000000000002"
    calls: list[tuple[str, dict[str, Any]]] = [
        ("/v1/track", {"event": "a", "anonymousId": browser}),
        ("/v1/alias", {"userId": "new", "previousId": browser}),
        ("/v1/track", {"event": "b", "userId": "new"}),
        ("/v1/identify", {"userId": "new", "anonymousId": "laptop"}),
        ("/v1/track", {"event": "c", "anonymousId": "laptop"}),
        (
            "/v1/merge",
            {
                "type": "merge",
                "mergeProperties": [{"type": "anonymousId", "value": phone}, {"type": "userId", "value": "new"}],
            },
        ),
        ("/v1/screen", {"name": "d", "anonymousId": phone}),
        ("/v1/track", {"event": "stranger", "anonymousId": "somebody else"}),
    ]
    for path, call in calls[::order]:
        assert (await counter.post(path, call)).status_code == 200
        await segment_app.drain()

    async with segment_app.app.storage.system("look at what a test stored") as connection:
        rows = await connection.execute(
            text(
                "SELECT count(*), count(DISTINCT coalesce(m.person_id, e.person_id)) FROM events e"
                " LEFT JOIN person_merges m ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id"
                " WHERE e.project_id = :project"
            ),
            {"project": counter.source.project.id},
        )
        assert rows.one() == (8, 2)


async def test_browser_sdks_are_told_where_to_send(counter: Counter) -> None:
    key = counter.source.write_key
    for path in (f"/v1/projects/{key}/settings", f"/projects/{key}/settings", f"/v1/projects/{key}/settings/"):
        response = await counter.client.get(path, headers=BROWSER)
        settings = response.json()
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert settings["integrations"]["Segment.io"]["apiKey"] == key
        assert settings["integrations"]["Segment.io"]["apiHost"] == f"{counter.url.removeprefix('http://')}/v1"
        assert settings["metrics"] == {"sampleRate": 0}
    for path in ("/sourceConfig", "/sourceConfig/?p=npm&v=3"):
        source = (await counter.client.get(path, headers={**basic(key), **BROWSER})).json()["source"]
        assert (source["enabled"], source["writeKey"], source["destinations"]) == (True, key, [])

    assert (await counter.client.get("/v1/projects/wrong/settings")).status_code == 401
    assert (await counter.client.get("/sourceConfig/")).status_code == 401


async def test_behind_a_proxy_that_ends_tls_browser_sdks_are_told_its_address(make_app: MakeApp) -> None:
    app = await make_app(SegmentCompatPlugin, settings={"trusted_proxies": "127.0.0.0/8"})
    counter = await open_counter(app)
    path = f"/v1/projects/{counter.source.write_key}/settings"
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "events.example.org"}

    told = (await counter.client.get(path, headers=forwarded)).json()["integrations"]["Segment.io"]

    assert (told["apiHost"], told["protocol"]) == ("events.example.org/v1", "https")


async def test_sdks_may_report_on_themselves_and_operators_may_look(counter: Counter) -> None:
    metric = {"type": "Counter", "metric": "x", "value": 1, "tags": {}}
    assert (await counter.post("/v1/m", {"series": [metric]}, key=None)).json() == {"success": True}
    assert (await counter.client.get("/cluster-info")).json() == {"nodeCount": 1}
    assert (await counter.client.get("/health")).status_code == 200
    assert (await counter.client.get("/version")).json()["version"]
    assert await counter.events() == []


async def test_a_tenant_that_switched_the_plugin_off_gets_nothing_this_way(
    segment_app: RunningApp, counter: Counter
) -> None:
    await segment_app.app.switches.switch(counter.source.tenant.id, "segment_compat", enabled=False)

    response = await counter.post("/v1/batch", {"batch": [track()]})

    assert (response.status_code, response.json()["code"]) == (404, "source_disabled")
    assert await counter.events() == []


async def test_posthog_s_batch_is_understood(counter: Counter) -> None:
    library = {"$lib": "posthog-python", "$lib_version": "7.9", "$is_server": True, "$geoip_disable": True}
    body = {
        "api_key": counter.source.write_key,
        "historical_migration": False,
        "sent_at": datetime.now(UTC).isoformat(),
        "batch": [
            {"event": "paid", "distinct_id": "u1", "properties": {"plan": "gold", **library}, "uuid": "id-1"},
            {
                "event": "$identify", "distinct_id": "u1", "uuid": "id-2",
                "properties": {**library, "$anon_distinct_id": "a1", "$set": {"name": "Wanjiru"}},
            },
            {"event": "$create_alias", "distinct_id": "u1", "properties": {"alias": "old", **library}, "uuid": "id-3"},
        ],
    }  # fmt: skip

    response = await counter.post("/batch/", body, key=None)

    assert response.status_code == 200
    paid, identified, aliased = await counter.arrived(3)
    assert (paid.event_name, paid.user_id, json.loads(paid.properties)) == ("paid", "u1", {"plan": "gold"})
    assert identified.anonymous_id is not None
    assert json.loads(identified.properties) == {"name": "Wanjiru"}
    assert (aliased.event_name, aliased.user_id, aliased.previous_id) == ("alias", "u1", "old")
    assert (paid.message_ref, paid.sdk_name) == ("id-1", "posthog-python")
