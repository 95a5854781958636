"""Whatever is sent, the answer is never a 5xx, and whatever is accepted can be stored."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatnation import Event, Plugin
from chatnation.core.ingestion.normalize import normalize
from chatnation.plugins.segment_compat.plugin import SegmentCompatPlugin
from chatnation.testing.apps import AppMaker, RunningApp
from chatnation.testing.servers import SharedServers, plain_url

EXAMPLES = int(os.environ.get("CHATNATION_FUZZ_EXAMPLES", "100"))

PATHS = st.sampled_from(
    ["/v1/capture", "/v1/batch", "/v1/track", "/v1/identify", "/v1/page", "/v1/alias", "/v1/group", "/v1/t", "/v1/b",
     "/v1/import/", "/v1/merge", "/v1/m", "/beacon/v1/batch", "/batch/"]
)  # fmt: skip

texts = st.text(max_size=30) | st.sampled_from(
    ["", "\x00", "null", "true", "\U0001f600", "a" * 300, "1e400", "2026-01-01"]
)
numbers = (
    st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([2**63, -(2**63), 2**64, 10**400, 1e308, -0.0, 5e-324])
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
KEYS = """
    event_name event event_type type message_id messageId event_id timestamp originalTimestamp anonymous_id anonymousId
    session_id user_id userId previousId previous_id groupId sequence journey_start context properties traits
    mergeProperties distinct_id name category sentAt
""".split()
CONTEXT_KEYS = [
    "library",
    "page",
    "userAgent",
    "channel",
    "externalId",
    "campaign",
    "ip",
    "traits",
    "sessionId",
    "device",
]
contexts = st.dictionaries(st.sampled_from(CONTEXT_KEYS), values, max_size=5)
events = st.fixed_dictionaries(
    {},
    optional={key: contexts | values if key == "context" else values for key in KEYS},
) | st.fixed_dictionaries(
    {"event_name": texts.filter(bool), "userId": texts},
    optional={"properties": st.dictionaries(texts, values, max_size=5), "context": contexts, "timestamp": values},
)
batches = st.fixed_dictionaries(
    {"batch": st.lists(events | values, max_size=5)},
    optional={"sent_at": values, "sentAt": values, "write_key": values, "writeKey": values, "context": values},
)
our_own = st.fixed_dictionaries(
    {"event_name": texts.filter(bool)}, optional={"properties": st.dictionaries(texts, values, max_size=5)}
)
own_batches = st.fixed_dictionaries(
    {"batch": st.lists(our_own, max_size=3)}, optional={"sent_at": st.text(max_size=30)}
)


def as_json(value: Any) -> bytes:
    """JSON as careless clients write it: NaN, lone surrogates and all."""
    return json.dumps(value).encode()


bodies = st.one_of(
    (batches | own_batches | events | values).map(as_json),
    st.binary(max_size=200),
    st.tuples((batches | own_batches).map(as_json), st.integers(0, 400), st.binary(max_size=3)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
    ),
    st.integers(1, 3000).map(
        lambda depth: b'{"batch":[{"event_name":"a","properties":{"a":' + b"[" * depth + b"]" * depth + b"}}]}"
    ),
    st.sampled_from(
        [b"1e400", b"1e-20000", b"9" * 5000, b"0." + b"1" * 20000, b'"\\ud800"', b'"\\u0000"', b"\xff"]
    ).map(lambda raw: b'{"batch":[{"event_name":"odd","userId":"u","properties":{"value":' + raw + b"}}]}"),
)
encodings = st.sampled_from([None, None, None, "gzip", "deflate", "identity", "br", "gzip, gzip", "\xe9"])
squeezes = st.sampled_from([bytes, bytes, gzip.compress, zlib.compress, lambda body: gzip.compress(body)[:-3]])
header_names = st.sampled_from(
    ["Origin", "User-Agent", "Authorization", "Content-Type", "X-Forwarded-For", "SentAt", "AnonymousId",
     "X-Request-Id",      "Access-Control-Request-Headers", "X-Retry-Count", "Cookie", "X-Want-Results"]
)  # fmt: skip
header_values = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
headers = st.dictionaries(header_names, header_values, max_size=4)


class Bare(Plugin):
    name = "bare"


class Target:
    """A running app that hypothesis, which is not asynchronous, can send to."""

    def __init__(self, servers: SharedServers) -> None:
        self.loop = asyncio.new_event_loop()
        self._maker = AppMaker(servers)
        self.app: RunningApp = self.loop.run_until_complete(
            self._maker(SegmentCompatPlugin, settings={"rate_limit_per_ip": 0})
        )
        self.source = self.loop.run_until_complete(self.app.source())
        self.client: httpx.AsyncClient = self.loop.run_until_complete(self.app.network_client())
        url = plain_url(str(self.app.app.settings.database_url))
        self.database: asyncpg.Connection[Any] = self.loop.run_until_complete(asyncpg.connect(url))

    def send(self, path: str, body: bytes, headers: dict[str, str], *, key: bool) -> httpx.Response:
        sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        if key:
            sent.append((b"X-Write-Key", self.source.write_key.encode()))
        return self.loop.run_until_complete(self.client.post(path, content=body, headers=sent))

    def events(self) -> list[Event]:
        """What was accepted since the last call."""
        queue = self.app.app.queue
        entries = self.loop.run_until_complete(queue.read(0, max_events=10_000, wait_ms=1))
        self.loop.run_until_complete(queue.acknowledge(entries))
        return [event for entry in entries for delivery in entry.deliveries for event in normalize(delivery)]

    def storable(self, event: Event) -> None:
        """Fails if PostgreSQL cannot keep a value of the event."""
        texts = [value for name in event.__struct_fields__ if isinstance(value := getattr(event, name), str)]
        self.loop.run_until_complete(
            self.database.fetchval(
                "SELECT ($1::text)::jsonb IS NOT NULL AND ($2::text[]) IS NOT NULL AND ($3::timestamptz) IS NOT NULL",
                event.properties.decode(), texts, event.timestamp,
            )
        )  # fmt: skip

    def close(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.loop.run_until_complete(self._maker.__aexit__())
        self.loop.close()


@pytest.fixture(scope="module")
def target(chatnation_servers: SharedServers) -> Iterator[Target]:
    target = Target(chatnation_servers)
    yield target
    target.close()


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(path=PATHS, body=bodies, squeeze=squeezes, encoding=encodings, headers=headers, key=st.integers(0, 9))
def test_no_body_and_no_header_leads_to_a_5xx_or_to_poison(
    target: Target, path: str, body: bytes, squeeze: Any, encoding: str | None, headers: dict[str, str], key: int
) -> None:
    if encoding is not None:
        headers = {**headers, "Content-Encoding": encoding}

    response = target.send(path, squeeze(body), headers, key=key > 0)

    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert {"status", "code", "message", "error", "request_id"} <= response.json().keys()
    for event in target.events():
        target.storable(event)


@settings(max_examples=EXAMPLES // 3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(found=st.lists(events, min_size=1, max_size=4))
def test_every_event_is_either_accepted_or_reported(target: Target, found: list[Any]) -> None:
    response = target.send("/v1/capture", as_json({"batch": found}), {}, key=True)

    answer = response.json()
    assert answer["accepted"] + len(answer["rejected"]) == len(found)
    assert len(target.events()) == answer["accepted"]
