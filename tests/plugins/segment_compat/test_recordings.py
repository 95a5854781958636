"""Requests of clients that cannot be run here, byte for byte as they go over the wire."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from chatnation import Event
from chatnation.plugins.segment_compat.pixel import GIF
from tests.plugins.segment_compat.conftest import Counter
from tests.plugins.segment_compat.raw_http import RawConnection, chunked

WHEN = datetime(2026, 11, 2, 3, 4, 5, 678000, tzinfo=UTC)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"
PHONE: dict[str, Any] = {
    "app": {"build": "7", "name": "Tax", "namespace": "ke.tax", "version": "1.2"},
    "device": {"id": "d1", "manufacturer": "Google", "model": "Pixel 8", "name": "shiba", "type": "android"},
    "network": {"bluetooth": False, "carrier": "Safaricom", "cellular": True, "wifi": False},
    "os": {"name": "Android", "version": "14"},
    "screen": {"density": 2.6, "height": 2205, "width": 1080},
}


@dataclass(frozen=True)
class Recording:
    """One request, with `HOST`, `KEY` and `BASIC` where those of the server under test belong.

    Its calls are `track` “Paid” of user u1 with the property plan=gold, at WHEN. `pack` makes the body out of the JSON
    text, `place` puts that behind the headers. `server`: sent by somebody's server rather than by a visitor.
    """

    name: str
    head: tuple[str, ...]
    envelope: dict[str, Any]
    pack: Callable[[bytes], bytes] = bytes
    place: Callable[[bytes], bytes] = bytes
    server: bool = False
    channel: str = "web"
    library: str | None = None

    def request(self, counter: Counter, host: str) -> tuple[list[str], bytes]:
        key = counter.source.write_key
        words = {"HOST": host, "KEY": key, "BASIC": base64.b64encode(f"{key}:".encode()).decode()}

        def filled(text: str) -> str:
            for word, value in words.items():
                text = text.replace(word, value)
            return text

        packed = self.pack(filled(json.dumps(self.envelope, separators=(",", ":"))).encode())
        head = [filled(line) for line in self.head]
        if not any(line.lower().startswith("transfer-encoding") for line in head):
            head.append(f"Content-Length: {len(packed)}")
        return head, self.place(packed)


def paid(library: str | None = None, **fields: Any) -> dict[str, Any]:
    context = {"library": {"name": library, "version": "1.2.3"}} if library else {}
    return {
        "type": "track",
        "event": "Paid",
        "userId": "u1",
        "properties": {"plan": "gold"},
        "messageId": "2f7c1a54-0000-4000-8000-000000000001",
        "timestamp": "2026-11-02T03:04:05.678Z",
        **fields,
        "context": {**context, **fields.get("context", {})},
    }


def rudder(library: str, **fields: Any) -> dict[str, Any]:
    call = paid(library, originalTimestamp="2026-11-02T03:04:05.678Z", integrations={"All": True}, **fields)
    del call["timestamp"]
    return call


RECORDINGS = [
    Recording(
        "ruby",
        (
            "POST /v1/import HTTP/1.1",
            "Content-Type: application/json",
            "Accept: application/json",
            "User-Agent: analytics-ruby/2.5.0",
            "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
            "Connection: keep-alive",
            "Host: HOST",
            "Authorization: Basic BASIC",
        ),
        {
            "sentAt": "2026-11-22T12:02:30.128Z",
            "batch": [paid("analytics-ruby", timestamp="2026-11-02T03:04:05.678+00:00")],
        },
        server=True,
        library="analytics-ruby",
    ),
    Recording(
        "php-socket",
        (
            "POST /v1/batch HTTP/1.1",
            "Host: HOST",
            "Content-Type: application/json",
            "Authorization: Basic BASIC",
            "Accept: application/json",
            "User-Agent: analytics-php/3.8.0",
        ),
        {
            "batch": [paid("analytics-php", anonymousId=None, context={"consumer": "Socket"})],
            "sentAt": "2026-11-22T12:02:30+00:00",
        },
        server=True,
        library="analytics-php",
    ),
    Recording(
        "php-curl-compressed",
        (
            "POST /v1/batch HTTP/1.1",
            "Host: HOST",
            "Accept: */*",
            "Authorization: Basic BASIC",
            "Content-Type: application/json",
            "User-Agent: analytics-php/3.8.0",
            "Content-Encoding: gzip",
        ),
        {"batch": [paid("analytics-php")], "sentAt": "2026-11-22T12:02:30+00:00"},
        pack=gzip.compress,
        server=True,
        library="analytics-php",
    ),
    Recording(
        "go",
        (
            "POST /v1/batch HTTP/1.1",
            "Host: HOST",
            "User-Agent: analytics-go (version: 3.3.0)",
            "Authorization: Basic BASIC",
            "Content-Type: application/json",
            "Accept-Encoding: gzip",
        ),
        {
            "messageId": "0a0a0a0a-0000-4000-8000-000000000001",
            "sentAt": "2026-11-22T12:02:30.128096123Z",
            "batch": [paid("analytics-go", timestamp="2026-11-02T03:04:05.678000123Z")],
            "context": {"library": {"name": "analytics-go", "version": "3.0.0"}},
        },
        server=True,
        library="analytics-go",
    ),
    Recording(
        "rudder-go",
        (
            "POST /v1/batch HTTP/1.1",
            "Host: HOST",
            "User-Agent: analytics-go (version: 4.2.2)",
            "Transfer-Encoding: chunked",
            "Authorization: Basic BASIC",
            "Content-Encoding: gzip",
            "Content-Type: application/json",
            "Rs-Nodecount: 1",
            "Rs-Targetnode: 0",
            "Rs-Useragent: serverSDK",
            "Accept-Encoding: gzip",
        ),
        {"sentAt": "2026-11-22T12:02:30.128096123Z", "batch": [rudder("analytics-go", channel="server")]},
        pack=gzip.compress,
        place=chunked,
        server=True,
        channel="server",
        library="analytics-go",
    ),
    Recording(
        "java",
        (
            "POST /v1/import/ HTTP/1.1",
            "Accept: application/json",
            "User-Agent: analytics-java/3.5.1",
            "Authorization: Basic BASIC",
            "X-Retry-Count: 2",
            "Content-Type: application/json; charset=UTF-8",
            "Host: HOST",
            "Connection: Keep-Alive",
            "Accept-Encoding: gzip",
        ),
        {
            "batch": [paid(timestamp="2026-11-02T03:04:05.678000001Z")],
            "sentAt": "2026-11-22T12:02:30.128096123Z",
            "context": {"library": {"name": "analytics-java", "version": "3.5.1"}},
            "sequence": 1,
            "writeKey": "KEY",
        },
        server=True,
        library="analytics-java",
    ),
    Recording(
        "dotnet-compressed-without-saying-so",
        (
            "POST /v1/import HTTP/1.1",
            "Authorization: Basic BASIC",
            "User-Agent: analytics-.NET/3.8.1",
            "Content-Type: application/json; charset=utf-8",
            "Host: HOST",
            "Transfer-Encoding: chunked",
        ),
        {
            "batch": [paid("Analytics.NET", timestamp="2026-11-02T03:04:05.6780000Z", options=None)],
            "messageId": "0a0a0a0a-0000-4000-8000-000000000002",
            "sentAt": "2026-11-22T12:02:30.1280961Z",
        },
        pack=gzip.compress,
        place=chunked,
        server=True,
        library="Analytics.NET",
    ),
    Recording(
        "kotlin",
        (
            "POST /v1/b HTTP/1.1",
            "Content-Type: text/plain",
            "Content-Encoding: gzip",
            "User-Agent: analytics-kotlin/1.19.1",
            "Host: HOST",
            "Connection: Keep-Alive",
            "Transfer-Encoding: chunked",
        ),
        {
            "batch": [paid("analytics-kotlin", context=PHONE, integrations={}, _metadata={"bundled": []})],
            "sentAt": "2026-11-22T12:02:30.128Z",
            "writeKey": "KEY",
        },
        pack=gzip.compress,
        place=chunked,
        channel="mobile",
        library="analytics-kotlin",
    ),
    Recording(
        "swift",
        (
            "POST /v1/b HTTP/1.1",
            "Host: HOST",
            "Content-Type: application/json; charset=utf-8",
            "Connection: keep-alive",
            "Accept: */*",
            "User-Agent: analytics-ios/1.6.2",
            "Authorization: Basic BASIC",
            "Accept-Language: en-GB,en;q=0.9",
            "Accept-Encoding: gzip, deflate",
        ),
        {"batch": [paid("analytics-swift", context=PHONE)], "sentAt": "2026-11-22T12:02:30.128Z", "writeKey": "KEY"},
        channel="mobile",
        library="analytics-swift",
    ),
    Recording(
        "android-classic",
        (
            "POST /v1/import HTTP/1.1",
            "Content-Type: application/json",
            "User-Agent: analytics-android/4.11.3",
            "Authorization: Basic BASIC",
            "Content-Encoding: gzip",
            "Transfer-Encoding: chunked",
            "Host: HOST",
            "Connection: Keep-Alive",
        ),
        {"batch": [paid("analytics-android", channel="mobile", context=PHONE)], "sentAt": "2026-11-22T12:02:30.128Z"},
        pack=gzip.compress,
        place=chunked,
        channel="mobile",
        library="analytics-android",
    ),
    Recording(
        "ios-classic",
        (
            "POST /v1/batch HTTP/1.1",
            "Host: HOST",
            "Content-Type: application/json",
            "Content-Encoding: gzip",
            "Accept-Encoding: gzip",
            "Authorization: Basic BASIC",
            "User-Agent: Tax/7 CFNetwork/1568.100.1 Darwin/24.0.0",
        ),
        {"batch": [paid("analytics-ios", context=PHONE)], "sentAt": "2026-11-22T12:02:30.128Z"},
        pack=gzip.compress,
        channel="mobile",
        library="analytics-ios",
    ),
    Recording(
        "react-native",
        (
            "POST /v1/b HTTP/1.1",
            "content-type: text/plain;charset=UTF-8",
            "host: HOST",
            "connection: Keep-Alive",
            "accept-encoding: gzip",
            "user-agent: okhttp/4.12.0",
        ),
        {
            "batch": [paid("@segment/analytics-react-native", context=PHONE)],
            "sentAt": "2026-11-22T12:02:30.128Z",
            "writeKey": "KEY",
        },
        channel="mobile",
        library="@segment/analytics-react-native",
    ),
    Recording(
        "rudder-android",
        (
            "POST /v1/batch HTTP/1.1",
            "Content-Type: application/json",
            "Authorization: Basic BASIC",
            "AnonymousId: YTE=",
            "User-Agent: Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/UQ1A)",
            "Host: HOST",
            "Connection: Keep-Alive",
            "Accept-Encoding: gzip",
        ),
        {
            "sentAt": "2026-11-22T12:02:30.128Z",
            "batch": [
                rudder(
                    "com.rudderstack.android.sdk.core",
                    channel="mobile",
                    context={**PHONE, "sessionId": 1795348950, "sessionStart": True},
                )
            ],
        },
        channel="mobile",
        library="com.rudderstack.android.sdk.core",
    ),
    Recording(
        "analytics-js-classic",
        (
            "POST /v1/t HTTP/1.1",
            "Host: HOST",
            "Connection: keep-alive",
            f"User-Agent: {IPHONE}",
            "Content-Type: text/plain",
            "Accept: */*",
            "Origin: https://shop.example",
            "Referer: https://shop.example/",
        ),
        {
            **paid("analytics.js", context={"userAgent": IPHONE}),
            "writeKey": "KEY",
            "sentAt": "2026-11-22T12:02:30.128Z",
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        },
        library="analytics.js",
    ),
    Recording(
        "rudder-browser-on-its-second-attempt",
        (
            "POST /v1/track HTTP/1.1",
            "Host: HOST",
            f"User-Agent: {IPHONE}",
            "Accept: application/json",
            "AnonymousId: YTE=",
            "Authorization: Basic BASIC",
            "Content-Type: application/json;charset=UTF-8",
            "SentAt: 2026-11-22T12:02:30.128Z",
            "Rsa-Recovered: false",
            "Rsa-Retry-Attempt: 1",
            "Rsa-Since-Last-Attempt: 2",
            "Rsa-Since-First-Attempt: 2",
            "Rsa-Retry-Reason: server-503",
            "Origin: https://shop.example",
        ),
        rudder("RudderLabs JavaScript SDK", channel="web", context={"userAgent": IPHONE}),
        library="RudderLabs JavaScript SDK",
    ),
    Recording(
        "curl",
        (
            "POST /v1/track HTTP/1.1",
            "Host: HOST",
            "Authorization: Basic BASIC",
            "User-Agent: curl/8.14.1",
            "Accept: */*",
            "Content-Type: application/x-www-form-urlencoded",
        ),
        paid(),
        server=True,
    ),
    Recording(
        "oauth",
        (
            "POST /v1/batch HTTP/1.1",
            "Host: HOST",
            "User-Agent: analytics-python/2.4.0",
            "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzY29wZSI6InRyYWNraW5nX2FwaSJ9.c2ln",
            "Content-Type: application/json",
        ),
        {"batch": [paid("analytics-python")], "sentAt": "2026-11-22T12:02:30+00:00", "writeKey": "KEY"},
        server=True,
        library="analytics-python",
    ),
    Recording(
        "an-embedded-client-of-odd-manners",
        ("POST /v1/batch/ HTTP/1.1", "hOST: HOST", "aUTHORIZATION:bAsIc BASIC"),
        {"batch": [paid()], "sentAt": "2026-11-22T12:02:30Z"},
        pack=lambda body: b"\xef\xbb\xbf" + body,
        server=True,
    ),
    Recording(
        "http-1.0",
        ("POST /v1/batch HTTP/1.0", "Authorization: Basic BASIC"),
        {"batch": [paid()], "sentAt": "2026-11-22T12:02:30Z"},
        server=True,
    ),
]


def check(event: Event, recording: Recording) -> None:
    assert (event.event_name, event.user_id, json.loads(event.properties)) == ("Paid", "u1", {"plan": "gold"})
    claimed = event.claimed_at or event.timestamp
    assert claimed.replace(microsecond=claimed.microsecond // 1000 * 1000) == WHEN
    assert event.skew_ms is not None or recording.name == "curl"
    assert event.message_ref == "2f7c1a54-0000-4000-8000-000000000001"
    assert event.channel_type == recording.channel
    assert event.sdk_name == recording.library
    if recording.server:
        assert (event.ip_address, event.geo_ip, event.user_agent) == (None, None, None)
    else:
        assert event.ip_address == "127.0.0.0"


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
async def test_a_client_s_request_is_taken_as_it_comes(counter: Counter, recording: Recording) -> None:
    async with RawConnection(counter.url) as connection:
        await connection.send(*recording.request(counter, connection.host))
        answer = await connection.answer()

    assert (answer.status, answer.json()) == (200, {"success": True})
    assert answer.headers["content-type"] == "application/json"
    (event,) = await counter.arrived(1)
    check(event, recording)


async def test_12_ruby_s_connection_lives_on_through_errors_that_are_json(counter: Counter) -> None:
    good = next(recording for recording in RECORDINGS if recording.name == "ruby")
    async with RawConnection(counter.url) as connection:
        head, body = good.request(counter, connection.host)
        authorized = next(line for line in head if line.startswith("Authorization"))
        wrong_key = [line.replace(authorized, "Authorization: Basic d3Jvbmc6") for line in head]
        padded = body.replace(b'"gold"', b'"' + b"x" * 600_000 + b'"')
        longer = [*head[:-1], f"Content-Length: {len(padded)}"]
        broken = [*head[:-1], f"Content-Length: {len(body) - 1}"]
        statuses = []
        for request in ((wrong_key, body), (longer, padded), (broken, body[:-1]), (head, body)):
            await connection.send(*request)
            answer = await connection.answer()
            statuses.append(answer.status)
            assert isinstance(answer.json(), dict)
            assert answer.headers["content-type"] == "application/json"

    assert statuses == [401, 413, 400, 200]
    assert len(await counter.arrived(1)) == 1


async def test_a_client_that_waits_for_permission_to_go_on_gets_it(counter: Counter) -> None:
    recording = next(recording for recording in RECORDINGS if recording.name == "php-socket")
    async with RawConnection(counter.url) as connection:
        head, body = recording.request(counter, connection.host)
        await connection.send([*head, "Expect: 100-continue"])
        await connection.send_body_after_permission(body)
        answer = await connection.answer()

    assert answer.status == 200
    assert len(await counter.arrived(1)) == 1


async def test_13_a_picture_that_is_only_asked_about_leaves_the_connection_in_step(counter: Counter) -> None:
    query = f"writeKey={counter.source.write_key}&anonymousId=a1&event=Opened"
    async with RawConnection(counter.url) as connection:
        for method in ("HEAD", "GET"):
            await connection.send([f"{method} /pixel/v1/track?{query} HTTP/1.1", f"Host: {connection.host}"])
            answer = await connection.answer(to_head=method == "HEAD")
            assert (answer.status, answer.headers["content-type"]) == (200, "image/gif")
            assert answer.headers["content-length"] == str(len(GIF))
        assert answer.body == GIF
