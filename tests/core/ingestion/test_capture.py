"""`POST /v1/capture` over HTTP: what it takes, what it refuses and how it says so."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chatnation import KeyType
from chatnation.core.auth.keys import create_key, revoke_key
from chatnation.core.ingestion.normalize import normalize
from chatnation.testing import page_view, track
from chatnation.testing.apps import MakeApp, RunningApp
from tests.core.ingestion.conftest import Desk, open_desk, place_desk

NOW = datetime.now(UTC)


def batch(*events: Any, **envelope: Any) -> dict[str, Any]:
    return {"batch": list(events), "sent_at": None, **envelope}


async def test_a_batch_in_our_own_spelling_goes_on_the_stream_as_it_came(desk: Desk) -> None:
    body = json.dumps(batch(page_view("/start"), track("button_click", {"label": "Start", "amount": 12.5}))).encode()

    response = await desk.capture(body)

    assert response.status_code == 200
    assert response.json() == {"status": "success", "accepted": 2, "rejected": []}
    (delivery,) = await desk.deliveries()
    assert delivery.body == body
    assert (delivery.tenant_id, delivery.project_id, delivery.count) == (
        desk.source.tenant.id,
        desk.source.project.id,
        2,
    )


async def test_the_envelope_of_segment_s_calls_is_understood(desk: Desk) -> None:
    call = {
        "type": "track",
        "event": "ai.classification",
        "userId": 254700000001,
        "anonymousId": "visitor-1",
        "messageId": "m-1",
        "timestamp": "2026-01-02T03:04:05Z",
        "properties": {"confidence": 0.5},
        "context": {"channel": "whatsapp", "externalId": "254700000001", "ai_model": "x", "name": "Wanjiru"},
    }

    response = await desk.capture({"batch": [call]})

    assert response.json()["accepted"] == 1
    (event,) = await desk.events()
    assert event.event_name == "ai.classification"
    assert event.user_id == event.external_id == "254700000001"
    assert event.channel_type == "whatsapp"
    assert event.message_ref == "m-1"
    assert event.timestamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert json.loads(event.properties) == {"confidence": 0.5}


@pytest.mark.parametrize(
    ("call", "name", "properties"),
    [
        ({"type": "page", "name": "Home", "properties": {"path": "/"}}, "page_view", {"path": "/", "name": "Home"}),
        ({"type": "screen", "category": "Forms"}, "screen_view", {"category": "Forms"}),
        (
            {"type": "identify", "traits": {"a": 1}, "context": {"traits": {"a": 0, "b": 2}}},
            "identify",
            {"a": 1, "b": 2},
        ),
        ({"type": "group", "groupId": "g1", "traits": {"plan": "gold"}}, "group", {"plan": "gold", "group_id": "g1"}),
        ({"type": "alias", "previousId": "old"}, "alias", {}),
    ],
)
async def test_calls_without_an_event_name_get_the_one_of_their_type(
    desk: Desk, call: dict[str, Any], name: str, properties: dict[str, Any]
) -> None:
    await desk.capture({"batch": [{"userId": "u1", **call}]})

    (event,) = await desk.events()

    assert (event.event_name, event.event_type) == (name, call["type"])
    assert json.loads(event.properties) == properties
    assert event.previous_id == call.get("previousId")


VISITOR = "0190a7c4-0000-7000-8000-000000000001"
VISITED = UUID(VISITOR)
LIBRARY = {"name": "mine", "version": "2.1"}
PAGE = {"path": "/a", "url": "https://a.example/a", "title": "A", "referrer": "https://b.example/", "search": "?x=1"}


@pytest.mark.parametrize(
    ("field", "value", "stored", "expected"),
    [
        ("message_id", VISITOR, "message_id", VISITED),
        ("message_id", "m-1", "message_ref", "m-1"),
        ("event_id", VISITOR, "message_id", VISITED),
        ("event_id", "e-1", "message_ref", "e-1"),
        ("event_id", "", "message_ref", None),
        ("event_type", "track", "event_type", "track"),
        ("event_type", None, "event_type", "track"),
        ("anonymous_id", VISITOR, "anonymous_id", VISITED),
        ("anonymous_id", "", "anonymous_id", None),
        ("anonymous_id", None, "anonymous_id", None),
        ("session_id", VISITOR, "session_id", VISITED),
        ("session_id", "", "session_id", None),
        ("user_id", "A012345678Z", "user_id", "A012345678Z"),
        ("user_id", 254700000001, "user_id", "254700000001"),
        ("user_id", "", "user_id", None),
        ("timestamp", "2026-01-02T03:04:05Z", "timestamp", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("timestamp", 1_767_323_045_000, "timestamp", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("timestamp", "", "has_claim", False),
        ("timestamp", "yesterday", "has_claim", False),
        ("properties", {"a": [1]}, "properties", b'{"a":[1]}'),
        ("properties", None, "properties", b"{}"),
        ("properties", [], "properties", b"{}"),
        ("journey_start", True, "journey_start", True),
        ("journey_start", "true", "journey_start", True),
        ("journey_start", "false", "journey_start", False),
        ("journey_end", True, "journey_end", True),
        ("journey_end", False, "journey_end", False),
        ("journey_end", 1, "journey_end", False),
        ("sequence", 7, "sequence", 7),
        ("context", {}, "channel_type", "web"),
        ("context", None, "channel_type", "web"),
        ("context", {"library": LIBRARY}, "sdk_version", "2.1"),
        ("context", {"library": {"name": "mine"}}, "sdk_name", "mine"),
        ("context", {"page": PAGE}, "page_path", "/a"),
        ("context", {"page": PAGE}, "page_title", "A"),
        ("context", {"page": PAGE}, "referrer", "https://b.example/"),
        ("context", {"page": PAGE}, "page_url", "https://a.example/a?x=1"),
        ("context", {"page": {**PAGE, "url": "https://a.example/a?y=2"}}, "page_url", "https://a.example/a?y=2"),
        ("context", {"userAgent": "Mine/1"}, "user_agent", "Mine/1"),
        ("context", {"locale": "en-KE", "screen": {"width": 360, "height": 800}}, "channel_type", "web"),
        ("context", {"channel": "mobile"}, "channel_type", "mobile"),
        ("context", {"channel": "whatsapp", "externalId": "254700000001"}, "external_id", "254700000001"),
        ("context", {"handshakeToken": "cn-000000000000"}, "handshake_token", "cn-000000000000"),
        ("context", {"ip": "41.90.1.7", "ai_model": "x", "name": "Wanjiru"}, "ip_address", "41.90.1.0"),
        ("no_such_field", 1, "event_name", "seen"),
    ],
)
async def test_each_field_is_read_in_either_spelling(
    desk: Desk, field: str, value: object, stored: str, expected: object
) -> None:
    first, *rest = field.split("_")
    camel = {"event_type": "type"}.get(field, first + "".join(word.capitalize() for word in rest))

    native = await desk.capture(batch({"event_name": "seen", field: value}))
    guides = await desk.capture({"batch": [{"event": "seen", camel: value}]})

    assert (native.json()["accepted"], guides.json()["accepted"]) == (1, 1)
    assert [getattr(event, stored) for event in await desk.events()] == [expected, expected]


@pytest.mark.parametrize("sent_at", [None, "", "soon", "\ud800", 7, [], {}, True])
async def test_a_time_of_sending_that_makes_no_sense_corrects_nothing(desk: Desk, sent_at: object) -> None:
    claim = "2026-01-02T03:04:05+00:00"

    body = json.dumps(batch({"event_name": "seen", "timestamp": claim}, sent_at=sent_at)).encode()

    response = await desk.capture(body)

    assert response.status_code == 200
    (event,) = await desk.events()
    if sent_at != 7:  # That is a second of 1970, which a clock without a battery shows.
        assert event.timestamp.isoformat() == claim


async def test_the_header_s_key_comes_before_the_body_s(desk: Desk) -> None:
    body = batch(track("a"), write_key=desk.source.write_key)

    assert (await desk.capture(body, key="cn_write_" + "a" * 32)).status_code == 401
    assert (await desk.capture({**body, "write_key": "wrong"})).status_code == 200
    assert (await desk.capture(body, key=None, headers={"Authorization": "Bearer some.oauth.token"})).status_code == 200


async def test_a_single_event_and_a_bare_array_are_batches_too(desk: Desk) -> None:
    assert (await desk.capture({"event": "one", "userId": "u"})).json()["accepted"] == 1
    assert (await desk.capture([track("two"), track("three")])).json()["accepted"] == 2
    assert [event.event_name for event in await desk.events()] == ["one", "two", "three"]


async def test_an_empty_batch_is_fine_and_puts_nothing_on_the_stream(desk: Desk) -> None:
    response = await desk.capture(batch())

    assert (response.status_code, response.json()["accepted"]) == (200, 0)
    assert await desk.deliveries() == []


async def test_bad_events_are_reported_and_cost_no_good_one(desk: Desk) -> None:
    response = await desk.capture(
        batch(
            track("good"),
            track("", event_id="m-1"),
            "no event",
            track("x" * 101),
            track("long user", user="u" * 101),
            track("odd properties", properties=[1]),  # type: ignore[arg-type]
            {**track("odd id"), "anonymous_id": {"a": 1}},
            track("also good", {"deep": {}}),
        )
    )

    assert response.status_code == 200
    answer = response.json()
    assert answer["accepted"] == 2
    assert [(found["index"], found["code"], found["path"]) for found in answer["rejected"]] == [
        (1, "missing_event_name", "event_name"),
        (2, "invalid_event", ""),
        (3, "field_too_long", "event_name"),
        (4, "field_too_long", "user_id"),
        (5, "invalid_field", "properties"),
        (6, "invalid_field", "anonymous_id"),
    ]
    assert answer["rejected"][0]["message_id"] == "m-1"
    assert [event.event_name for event in await desk.events()] == ["good", "also good"]


async def test_only_a_batch_without_a_usable_event_is_an_error(desk: Desk) -> None:
    response = await desk.capture(batch({"x": 1}, 2))

    answer = response.json()
    assert (response.status_code, answer["code"], answer["accepted"]) == (400, "no_usable_event", 0)
    assert [found["index"] for found in answer["rejected"]] == [0, 1]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png", ""])
async def test_the_content_type_is_ignored(desk: Desk, content_type: str) -> None:
    body = json.dumps(batch(track("a"))).encode()

    response = await desk.capture(body, headers={"Content-Type": content_type})

    assert response.json()["accepted"] == 1


def raw_deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize(
    ("compress", "encoding"),
    [
        (gzip.compress, "gzip"),
        (gzip.compress, "x-gzip"),
        (gzip.compress, ""),
        (gzip.compress, "identity"),
        (zlib.compress, "deflate"),
        (zlib.compress, ""),
        (raw_deflate, "deflate"),
        (lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:]), "gzip"),
        (bytes, "gzip"),
        (bytes, "deflate"),
    ],
)
async def test_compressed_bodies_are_known_by_header_or_by_their_first_bytes(
    desk: Desk, compress: Any, encoding: str
) -> None:
    body = json.dumps(batch(track("squeezed", {"text": "a" * 1000}))).encode()

    response = await desk.capture(compress(body), headers={"Content-Encoding": encoding} if encoding else {})

    assert response.json() == {"status": "success", "accepted": 1, "rejected": []}


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (gzip.compress(b" " * 10_000_000, mtime=0), "gzip", 413, "request_too_large"),
        (zlib.compress(b" " * 10_000_000), "deflate", 413, "request_too_large"),
        (gzip.compress(b"{}" * 100, mtime=0)[:-12], "gzip", 400, "invalid_compression"),
        (b"\x1f\x8bnonsense", "gzip", 400, "invalid_compression"),
        (b"x", "br", 415, "unsupported_encoding"),
        (b" " * 1_000_001, "", 413, "request_too_large"),
    ],
)
async def test_bodies_that_are_too_large_or_broken_are_refused(
    desk: Desk, body: bytes, encoding: str, status: int, code: str
) -> None:
    response = await desk.capture(body, headers={"Content-Encoding": encoding, "Origin": "https://tax.example"})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["access-control-allow-origin"] == "https://tax.example"


async def test_a_body_of_just_a_megabyte_is_taken_and_one_byte_more_is_not(desk: Desk) -> None:
    def padded(size: int) -> bytes:
        empty = len(json.dumps(batch(track("a", {"text": ""}, visitor="v", at=NOW))))
        return json.dumps(batch(track("a", {"text": "x" * (size - empty)}, visitor="v", at=NOW))).encode()

    assert len(padded(1_000_000)) == 1_000_000
    assert (await desk.capture(padded(1_000_000))).status_code == 200
    assert (await desk.capture(padded(1_000_001))).status_code == 413


async def test_too_many_events_are_refused(make_app: MakeApp) -> None:
    desk = await open_desk(make_app, {"max_batch_events": 3})

    assert (await desk.capture(batch(*[track("a")] * 3))).status_code == 200
    for events in ([track("a")] * 4, [{"event": "a"}] * 4):
        response = await desk.capture(batch(*events))
        assert (response.status_code, response.json()["code"]) == (413, "too_many_events")


async def test_the_key_may_be_in_header_body_address_or_basic_authorization(desk: Desk) -> None:
    key = desk.source.write_key
    basic = base64.b64encode(f"{key}:".encode()).decode()
    bare = base64.b64encode(key.encode()).decode()
    body = batch(track("a"))
    for response in (
        await desk.capture(body),
        await desk.capture({**body, "write_key": key}, key=None),
        await desk.capture({**body, "writeKey": key}, key=None),
        await desk.capture(body, key=None, url=f"/v1/capture?writeKey={key}"),
        await desk.capture(body, key=None, url=f"/v1/capture?a=b&write_key={key}"),
        await desk.capture(body, key=None, headers={"Authorization": f"Basic {basic}"}),
        await desk.capture(body, key=None, headers={"Authorization": f"basic {bare}"}),
        await desk.capture(body, key=None, headers={"Authorization": f"Bearer {key}"}),
    ):
        assert response.status_code == 200, response.text
    assert len(await desk.events()) == 8


@pytest.mark.parametrize(
    ("headers", "extra", "code"),
    [
        ({}, {}, "missing_write_key"),
        ({"X-Write-Key": "nonsense"}, {}, "invalid_write_key"),
        ({"X-Write-Key": "cn_write_" + "a" * 32}, {}, "invalid_write_key"),
        ({"X-Write-Key": "x" * 5000}, {}, "missing_write_key"),
        ({"Authorization": "Basic %%%"}, {}, "missing_write_key"),
        ({"Authorization": "Digest abc"}, {}, "missing_write_key"),
        ({}, {"write_key": ["no", "text"]}, "missing_write_key"),
        ({}, {"write_key": "\ud800"}, "missing_write_key"),
    ],
)
async def test_without_a_valid_key_nothing_is_taken(
    desk: Desk, headers: dict[str, str], extra: dict[str, Any], code: str
) -> None:
    body = json.dumps({**batch(track("a")), **extra}).encode()

    response = await desk.capture(body, key=None, headers={**headers, "Origin": "https://a.example"})

    answer = response.json()
    assert (response.status_code, answer["code"]) == (401, code)
    assert (answer["status"], answer["statusCode"]) == ("error", 401)
    assert datetime.fromisoformat(answer["timestamp"]).tzinfo is not None
    assert answer["message"] == answer["error"] != ""
    assert answer["request_id"] == response.headers["x-request-id"]
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert await desk.deliveries() == []


async def test_keys_that_send_no_events_and_revoked_ones_are_refused(desk: Desk) -> None:
    app, tenant = desk.app.app, desk.source.tenant
    async with app.storage.system("keys for a test") as connection:
        read = await create_key(connection, tenant.id, "r", KeyType.READ)
    assert (await desk.capture(batch(track("a")), key=read.secret)).status_code == 401

    assert (await desk.capture(batch(track("a")))).status_code == 200
    async with app.storage.system("revoke a key for a test") as connection:
        await revoke_key(connection, tenant.id, desk.source.write_key)
    await app.versions.poll()
    assert (await desk.capture(batch(track("a")))).status_code == 401


async def test_foreign_websites_are_refused_and_can_read_why(shared_app: RunningApp) -> None:
    desk = await place_desk(shared_app, allowed_origins=("https://tax.example", "https://*.tax.example"))
    event = batch(track("a"))

    for origin, status in (
        ("https://tax.example", 200),
        ("https://forms.tax.example", 200),
        ("https://tax.example.evil.example", 403),
        ("http://tax.example", 403),
        ("null", 403),
    ):
        response = await desk.capture(event, headers={"Origin": origin})
        assert response.status_code == status, origin
        assert response.headers["access-control-allow-origin"] == origin
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["vary"] == "Origin"
    assert (await desk.capture(event)).status_code == 200, "a server has no origin"


async def test_a_server_key_in_a_web_page_is_refused(desk: Desk) -> None:
    async with desk.app.app.storage.system("a key for a test") as connection:
        key = await create_key(
            connection, desk.source.tenant.id, "s", KeyType.SERVER, project_id=desk.source.project.id
        )

    assert (await desk.capture(batch(track("a")), key=key.secret)).status_code == 200
    response = await desk.capture(batch(track("a")), key=key.secret, headers={"Origin": "https://a.example"})
    assert (response.status_code, response.json()["code"]) == (403, "server_key_in_browser")


async def test_a_preflight_is_answered_for_any_page(desk: Desk) -> None:
    response = await desk.client.options(
        "/v1/capture",
        headers={
            "Origin": "https://a.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-write-key, content-type, x-something",
        },
    )

    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert response.headers["access-control-allow-headers"] == "x-write-key, content-type, x-something"
    assert int(response.headers["access-control-max-age"]) > 0


async def test_other_methods_are_not_allowed(desk: Desk) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = await desk.client.request(method, "/v1/capture")
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


async def test_a_key_over_its_rate_is_told_when_to_come_back(make_app: MakeApp) -> None:
    desk = await open_desk(make_app, {"rate_limit_per_key": 3})
    headers = {"Origin": "https://a.example"}

    answers = [await desk.capture(batch(track("a")), headers=headers) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    refused = answers[-1]
    assert refused.json()["code"] == "rate_limited"
    assert 0 < int(refused.headers["retry-after"]) <= 120
    assert refused.headers["retry-after"] == refused.headers["x-ratelimit-reset"]
    assert refused.headers["access-control-allow-origin"] == "https://a.example"
    assert len(await desk.events()) == 3
    other = await desk.app.source()
    assert (await desk.capture(batch(track("a")), key=other.write_key)).status_code == 200


async def test_an_address_over_its_rate_is_refused_before_its_key_is_looked_at(make_app: MakeApp) -> None:
    desk = await open_desk(make_app, {"rate_limit_per_ip": 2})

    codes = [(await desk.capture(batch(track("a")), key=key)).status_code for key in ("", None, "", None)]

    assert codes == [200, 401, 429, 429]


async def test_a_full_stream_is_said_to_be_full_at_once(make_app: MakeApp) -> None:
    desk = await open_desk(make_app, {"stream_max_events": 2})
    assert (await desk.capture(batch(track("a"), track("b")))).status_code == 200

    response = await desk.capture(batch(track("c")), headers={"Origin": "https://a.example"})

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    assert (await desk.client.get("/v1/ready")).json()["checks"] == {"stream": "full", "database": "ok"}


async def test_forwarded_addresses_are_believed_only_from_trusted_proxies(
    make_app: MakeApp, shared_app: RunningApp
) -> None:
    forwarded = {"X-Forwarded-For": "6.6.6.6, 41.90.1.7, 10.0.0.2", "User-Agent": "Mozilla/5.0"}
    trusting = await open_desk(make_app, {"trusted_proxies": "127.0.0.0/8,10.0.0.0/8"})
    wary = await place_desk(shared_app)

    for desk, address in ((trusting, "41.90.1.0"), (wary, "127.0.0.0")):
        await desk.capture(batch(page_view()), headers=forwarded)
        (event,) = await desk.events()
        assert event.ip_address == address


@pytest.mark.parametrize(
    ("mode", "stored", "for_location"),
    [
        ("off", "127.0.0.1", None),
        ("mask", "127.0.0.0", None),
        ("drop_after_geo", None, "127.0.0.1"),
        ("never", None, None),
    ],
)
async def test_a_visitor_s_address_is_treated_as_the_project_says(
    shared_app: RunningApp, mode: str, stored: str | None, for_location: str | None
) -> None:
    desk = await place_desk(shared_app, ip_mode=mode)

    await desk.capture(batch(page_view()))

    (delivery,) = await desk.deliveries()
    assert (delivery.ip, delivery.geo_ip) == (stored, for_location)
    (event,) = normalize(delivery)
    assert (event.ip_address, event.geo_ip) == (stored, for_location)


async def test_an_integrator_s_server_is_no_visitor(desk: Desk) -> None:
    server = {"User-Agent": "python-requests/2.32"}
    await desk.capture(batch(track("paid")), headers=server)
    await desk.capture(
        batch({**track("paid"), "context": {"ip": "41.90.1.7", "userAgent": "Mozilla/5.0"}}), headers=server
    )
    await desk.capture(batch(page_view()), headers={"User-Agent": "Mozilla/5.0 (phone)", "Origin": "https://a.example"})

    plain, described, browser = await desk.events()

    assert (plain.ip_address, plain.user_agent) == (None, None)
    assert (described.ip_address, described.user_agent) == ("41.90.1.0", "Mozilla/5.0")
    assert (browser.ip_address, browser.user_agent) == ("127.0.0.0", "Mozilla/5.0 (phone)")


async def test_a_browser_cannot_claim_another_address(desk: Desk) -> None:
    event = {**page_view(), "context": {"ip": "8.8.8.8", "page": {"path": "/"}}}

    await desk.capture(batch(event), headers={"Origin": "https://a.example", "User-Agent": "Mozilla/5.0"})

    (found,) = await desk.events()
    assert found.ip_address == "127.0.0.0"


async def test_what_postgresql_cannot_keep_is_cleaned_or_refused(desk: Desk) -> None:
    for properties in (
        r'{"text": "a\u0000b", "k\u0000": 1}',
        r'{"text": "\ud800 lone"}',
        '{"number": NaN, "more": [Infinity, -Infinity]}',
        '{"number": 1e400}',
        '{"number": 1e-20000}',
        '{"number": ' + "9" * 5000 + "}",
        '{"number": 0.' + "1" * 20000 + "}",
        '{"text": "\x01 raw control"}',
    ):
        body = b'{"batch":[{"event_name":"odd\\u0000","properties":' + properties.encode() + b"}]}"
        await desk.capture(body)
    await desk.capture(b'\xef\xbb\xbf{"batch":[{"event_name":"bom"}]}')
    await desk.capture(b'{"batch":[{"event_name":"broken utf-8","properties":{"t":"\xff"}}]}')
    deep = b'{"batch":[{"event_name":"ok"},{"event_name":"deep","properties":' + b'{"a":' * 200 + b"1" + b"}" * 202
    answer = (await desk.capture(deep.rstrip(b"}") + b"}" * 201 + b"]}")).json()
    assert [found["code"] for found in answer["rejected"]] == ["too_deep"]

    events = await desk.events()
    async with desk.app.app.storage.system("a test") as connection:
        for event in events:
            await connection.exec_driver_sql("SELECT ($1)::jsonb, ($2)::text", (event.properties, event.event_name))
    assert [event.event_name for event in events][-3:] == ["bom", "broken utf-8", "ok"]


async def test_masking_rules_apply_before_the_stream(desk: Desk) -> None:
    async with desk.app.app.storage.system("rules for a test") as connection:
        await connection.exec_driver_sql(
            "UPDATE projects SET masking = $1 WHERE id = $2",
            ('{"pin": "hash", "phone": "mask", "secret": "drop", "address.street": "drop"}', desk.source.project.id),
        )
    await desk.app.app.versions.poll()
    properties = {
        "pin": "A001234567Z",
        "secret": 1,
        "nested": [{"phone": "254700000001"}],
        "address": {"street": "x", "town": "Kisumu"},
        "street": "kept",
    }
    page = {"page": {"url": "https://a.example/?pin=A001234567Z&ok=1", "path": "/"}}
    strict = track("a", properties, context=page)
    await desk.capture(batch(strict))
    await desk.capture(batch({**strict, "unknown": 1}))

    deliveries = await desk.deliveries()

    assert b"A001234567Z" not in b"".join(delivery.body for delivery in deliveries)
    assert b"254700000001" not in b"".join(delivery.body for delivery in deliveries)
    first, second = (event for delivery in deliveries for event in normalize(delivery))
    found = json.loads(first.properties)
    assert found == json.loads(second.properties)
    assert found["nested"] == [{"phone": "***01"}]
    assert found["address"] == {"town": "Kisumu"}
    assert "secret" not in found
    assert len(found["pin"]) == 32
    assert first.page_url == f"https://a.example/?pin={found['pin']}&ok=1"


async def test_a_visitor_stays_in_one_partition(make_app: MakeApp) -> None:
    desk = await open_desk(make_app, {"stream_partitions": 4})
    visitors = [f"visitor-{number}" for number in range(20)]
    for _ in range(2):
        response = await desk.capture(batch(*(track("a", visitor=visitor) for visitor in visitors)))
        assert response.json()["accepted"] == 20

    homes: dict[UUID | None, set[int]] = {}
    for partition in range(4):
        for entry in await desk.app.app.queue.read(partition, max_events=1000, wait_ms=1):
            for delivery in entry.deliveries:
                for event in normalize(delivery):
                    homes.setdefault(event.anonymous_id, set()).add(partition)

    assert len(homes) == 20
    assert all(len(partitions) == 1 for partitions in homes.values())
    assert len(set.union(*homes.values())) > 1


async def test_skewed_clocks_are_corrected(desk: Desk) -> None:
    for skew in (timedelta(days=3), -timedelta(days=3)):
        now = datetime.now(UTC)
        clicked = now - timedelta(minutes=10)
        await desk.capture(batch(track("a", at=clicked + skew), sent_at=(now + skew).isoformat()))
        (event,) = await desk.events()
        assert abs(event.timestamp - clicked) < timedelta(seconds=1)
        assert event.claimed_at == clicked + skew
        assert event.skew_ms is not None
        assert abs(event.skew_ms + skew.total_seconds() * 1000) < 1000


async def test_health_says_that_the_process_lives(desk: Desk) -> None:
    response = await desk.client.get("/v1/health")

    assert response.status_code == 200
    assert response.json().keys() == {"status", "version", "timestamp"}
    assert response.json()["status"] == "ok"


async def test_readiness_asks_stream_and_database(desk: Desk) -> None:
    response = await desk.client.get("/v1/ready")

    assert response.status_code == 200
    assert response.json()["checks"] == {"stream": "ok", "database": "ok"}
