"""From a delivery to events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chatnation import Delivery, Event, EventBatch
from chatnation.core.ingestion.normalize import Normalizer, UnreadableDelivery, normalize
from chatnation.core.ingestion.times import ClockRules, ReceiptClock, parse_instant

RECEIVED = datetime(2026, 5, 4, 12, tzinfo=UTC)
VISITOR = "0190a7c4-0000-7000-8000-000000000001"


def delivery(*events: dict[str, Any], tenant_id: int = 1, project_id: int = 1, **fields: Any) -> Delivery:
    body = json.dumps({"batch": events, "sent_at": fields.pop("sent_at", None)}).encode()
    return Delivery(
        id=b"0123456789abcdef",
        tenant_id=tenant_id,
        project_id=project_id,
        received_ms=int(RECEIVED.timestamp() * 1000),
        count=len(events),
        body=body,
        **{"ip": "41.90.1.0", "user_agent": "Mozilla/5.0", **fields},
    )


def one(event: dict[str, Any], **fields: Any) -> Event:
    (found,) = normalize(delivery({"event_name": "a", **event}, **fields))
    return found


def test_the_same_delivery_gives_the_same_events() -> None:
    given = delivery(
        {"event_name": "a"}, {"event_name": "b", "anonymous_id": "x"}, {"event_name": "c", "message_id": "m"}
    )

    assert normalize(given) == normalize(given)
    assert len({event.message_id for event in normalize(given)}) == 3


def test_ids_that_are_uuids_stay_and_others_become_uuids_of_the_tenant() -> None:
    assert one({"anonymous_id": VISITOR}).anonymous_id == UUID(VISITOR)
    text = one({"anonymous_id": "visitor", "session_id": "visitor"})
    assert text.anonymous_id == text.session_id
    assert text.anonymous_id == one({"anonymous_id": "visitor"}).anonymous_id
    assert text.anonymous_id != one({"anonymous_id": "visitor"}, tenant_id=2).anonymous_id
    assert one({}).anonymous_id is None


def test_the_message_id_is_the_key_else_the_event_id_else_made_for_the_delivery() -> None:
    both = one({"message_id": VISITOR, "event_id": "e-1"})
    assert (both.message_id, both.message_ref) == (UUID(VISITOR), None)
    assert both.event_id is not None
    only_event = one({"event_id": VISITOR})
    assert (only_event.message_id, only_event.event_id) == (UUID(VISITOR), None)
    text = one({"message_id": "ajs-next-1-x"})
    assert text.message_ref == "ajs-next-1-x"
    assert one({"message_id": "ajs-next-1-x"}, project_id=2).message_id == text.message_id
    assert one({}).message_ref is None


def test_message_ids_of_other_protocols_are_unique_within_their_project() -> None:
    first = one({"message_id": VISITOR, "project_scoped": True}, project_id=1)
    second = one({"message_id": VISITOR, "project_scoped": True}, project_id=2)

    assert first.message_id != second.message_id
    assert first.message_ref == second.message_ref == VISITOR


@pytest.mark.parametrize(
    ("event", "external_id"),
    [
        ({"context": {"externalId": "2547"}}, "2547"),
        (
            {
                "event_name": "message.received",
                "properties": {"from": "1", "to": "2"},
                "context": {"channel": "whatsapp"},
            },
            "1",
        ),
        ({"event_name": "message.sent", "properties": {"from": "1", "to": 2}, "context": {"channel": "whatsapp"}}, "2"),
        ({"event_name": "message.received", "properties": {"from": "1"}}, None),
        ({"event_name": "message.read", "properties": {"from": "1"}, "context": {"channel": "whatsapp"}}, None),
        ({"event_name": "message.received", "properties": {"from": {}}, "context": {"channel": "whatsapp"}}, None),
    ],
)
def test_the_contact_of_a_whatsapp_message(event: dict[str, Any], external_id: str | None) -> None:
    assert one(event).external_id == external_id


@pytest.mark.parametrize(
    ("event", "start", "end"),
    [
        ({"journey_start": True}, True, False),
        ({"journey_end": True, "journey_start": False}, False, True),
        ({"properties": {"journeyStart": True}}, True, False),
        ({"properties": {"journeyEnd": "true"}}, False, True),
        ({"properties": {"journeyStart": "false", "journeyEnd": 0}}, False, False),
        ({"properties": {"note": '"journeyStart"'}}, False, False),
    ],
)
def test_journey_flags(event: dict[str, Any], start: bool, end: bool) -> None:
    assert (one(event).journey_start, one(event).journey_end) == (start, end)


def test_the_number_of_somebody_who_rated_us_is_reduced_to_digits() -> None:
    number = "+254 700-000001"
    assert one({"event_name": "csat_submitted", "user_id": number}).user_id == "254700000001"
    assert one({"event_name": "csat_submitted", "user_id": "A012345678Z"}).user_id == "A012345678Z"
    assert one({"event_name": "a", "user_id": number}).user_id == number


def test_address_and_browser_belong_to_web_and_mobile_events_only() -> None:
    assert one({}).ip_address == "41.90.1.0"
    assert one({}).user_agent == "Mozilla/5.0"
    assert one({"context": {"userAgent": "Mine"}}).user_agent == "Mine"
    assert one({"context": {"channel": "mobile"}}).ip_address == "41.90.1.0"
    chat = one({"context": {"channel": "whatsapp", "page": {"path": "/"}, "userAgent": "Mine"}})
    assert (chat.ip_address, chat.user_agent, chat.page_path) == (None, None, None)


def test_a_customer_s_server_lends_its_address_to_no_visitor() -> None:
    server = {"server_side": True}
    assert (one({}, **server).ip_address, one({}, **server).user_agent) == (None, None)
    assert one({"ip": "8.8.8.0"}, **server).ip_address == "8.8.8.0"
    assert one({"use_connection": True}, **server).ip_address == "41.90.1.0"


def test_text_longer_than_its_column_is_cut() -> None:
    long = "x" * 5000
    context = {
        "page": {"path": long, "url": long, "title": long, "referrer": long},
        "library": {"name": long, "version": long},
        "channel": "web",
        "handshakeToken": long,
        "externalId": long,
    }
    event = one({"context": context})

    lengths = [
        len(text or "")
        for text in (event.page_path, event.page_title, event.sdk_version, event.handshake_token, event.external_id)
    ]
    assert lengths == [500, 500, 20, 100, 100]


def test_events_with_one_context_share_nothing_that_a_stage_could_change() -> None:
    context = {"campaign": {"source": "mail"}, "page": {"path": "/"}}
    first, second = normalize(delivery(*[{"event_name": "a", "context": context}] * 2))
    first.page_path = None
    assert first.campaign is not None
    first.campaign["source"] = "changed"

    assert (second.page_path, second.campaign) == ("/", {"source": "mail"})
    assert one({"context": context}).campaign == {"source": "mail"}


def test_a_remembered_context_serves_another_delivery() -> None:
    normalizer = Normalizer(ClockRules())
    context = {"channel": "web", "userAgent": "Mine"}
    (mine,) = normalizer.events(delivery({"event_name": "a", "context": context}, tenant_id=1))
    (theirs,) = normalizer.events(delivery({"event_name": "b", "context": context}, tenant_id=2, ip="8.8.8.0"))

    assert (mine.tenant_id, mine.event_name, mine.ip_address) == (1, "a", "41.90.1.0")
    assert (theirs.tenant_id, theirs.event_name, theirs.ip_address) == (2, "b", "8.8.8.0")
    assert mine.user_agent == theirs.user_agent == "Mine"


def test_a_batch_groups_its_events_by_what_they_have_in_common() -> None:
    names = ("a", "b", "a", "a")
    batch = EventBatch(1, normalize(delivery(*({"event_name": name, "sequence": n} for n, name in enumerate(names)))))
    groups = batch.grouped("event_name", "channel_type")

    assert {key: [event.sequence for event in events] for key, events in groups.items()} == {
        ("a", "web"): [0, 2, 3],
        ("b", "web"): [1],
    }
    assert batch.grouped("event_name", "channel_type") is groups


def test_properties_stay_the_bytes_that_were_sent() -> None:
    given = delivery({"event_name": "a"})
    body = b'{"batch":[{"event_name":"a","properties" : {"b":1.50, "a":[ ]} }]}'
    (event,) = normalize(Delivery(**{**{f: getattr(given, f) for f in given.__struct_fields__}, "body": body}))

    assert event.properties == b'{"b":1.50, "a":[ ]}'
    assert one({"properties": None}).properties == b"{}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"batch":[{}]}',
        b'{"batch":[{"event_name":1}]}',
        b'{"batch":[{"event_name":"a","context":7}]}',
        b"\xff",
    ],
)
def test_a_body_that_is_no_batch_says_so(body: bytes) -> None:
    given = delivery()
    broken = Delivery(given.id, 1, 1, given.received_ms, 1, body)

    with pytest.raises(UnreadableDelivery):
        normalize(broken)


def test_a_small_skew_is_left_alone_so_that_a_retry_repeats_its_time() -> None:
    claim = RECEIVED - timedelta(minutes=10)
    for skew in (0, 30, -59):
        event = one({"timestamp": claim.isoformat()}, sent_at=(RECEIVED - timedelta(seconds=skew)).isoformat())
        assert (event.timestamp, event.claimed_at, event.skew_ms) == (claim, None, skew * 1000)


@pytest.mark.parametrize(("year", "skew_ms"), [(1970, 2**31 - 1), (2100, 1 - 2**31)])
def test_a_clock_that_is_off_by_years_is_corrected_in_full_and_told_within_bounds(year: int, skew_ms: int) -> None:
    claim = datetime(year, 1, 1, tzinfo=UTC)
    event = one({"timestamp": claim.isoformat()}, sent_at=(claim + timedelta(seconds=5)).isoformat())

    assert (event.timestamp, event.claimed_at) == (RECEIVED - timedelta(seconds=5), claim)
    assert event.skew_ms == skew_ms


def test_without_a_time_of_sending_the_claim_stands() -> None:
    event = one({"timestamp": "2015-01-01T00:00:00Z"})

    assert (event.timestamp, event.claimed_at, event.skew_ms) == (datetime(2015, 1, 1, tzinfo=UTC), None, None)


def test_an_import_of_old_events_keeps_their_dates() -> None:
    event = one({"timestamp": "2015-01-01T00:00:00Z"}, sent_at=RECEIVED.isoformat())

    assert event.timestamp == datetime(2015, 1, 1, tzinfo=UTC)


def test_the_future_is_cut_off_and_the_claim_kept() -> None:
    near, far = RECEIVED + timedelta(minutes=4), RECEIVED + timedelta(minutes=6)

    assert one({"timestamp": near.isoformat()}).timestamp == near
    cut = one({"timestamp": far.isoformat()})
    assert (cut.timestamp, cut.claimed_at, cut.has_claim) == (RECEIVED, far, True)


def test_an_event_without_a_time_happened_when_it_was_received() -> None:
    for timestamp in (None, "", "soon", "99999999999999999999", 1e300):
        event = one({"timestamp": timestamp})
        assert (event.timestamp, event.claimed_at, event.has_claim) == (RECEIVED, None, False)


def test_a_claim_beyond_the_calendar_breaks_nothing() -> None:
    clock = ReceiptClock(RECEIVED, RECEIVED + timedelta(days=300_000), ClockRules())

    assert clock.place(datetime(1, 1, 1, tzinfo=UTC)).timestamp == RECEIVED


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-11-22T12:02:30Z", datetime(2026, 11, 22, 12, 2, 30, tzinfo=UTC)),
        ("2026-11-22T12:02:30.128096+00:00", datetime(2026, 11, 22, 12, 2, 30, 128096, tzinfo=UTC)),
        ("2026-11-22T12:02:30.123456789Z", datetime(2026, 11, 22, 12, 2, 30, 123456, tzinfo=UTC)),
        ("2026-11-22T15:02:30+0300", datetime(2026, 11, 22, 12, 2, 30, tzinfo=UTC)),
        ("2026-11-22 12:02:30", datetime(2026, 11, 22, 12, 2, 30, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        (1_795_348_950_123, datetime(2026, 11, 22, 12, 2, 30, 123000, tzinfo=UTC)),
        (1_795_348_950, datetime(2026, 11, 22, 12, 2, 30, tzinfo=UTC)),
        (1_795_348_950.5, datetime(2026, 11, 22, 12, 2, 30, 500000, tzinfo=UTC)),
        ("1795348950123", datetime(2026, 11, 22, 12, 2, 30, 123000, tzinfo=UTC)),
        (" ", None),
        ("0001-01-01T00:00:00+14:00", None),
        (10**400, None),
        (None, None),
    ],
)
def test_instants_in_every_form_in_the_field(value: str | float | None, instant: datetime | None) -> None:
    assert parse_instant(value) == instant
