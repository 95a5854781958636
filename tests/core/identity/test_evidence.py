"""What single events say about who is who."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from chatnation.core.identity.bad_ids import is_bad_anonymous_id, is_bad_id
from chatnation.core.identity.evidence import Evidence, Recogniser, link_key
from chatnation.core.identity.nodes import Kind, external_id_name, leaf_id, user_id_name
from chatnation.core.identity.resolution import Source
from chatnation.core.ids import client_uuid
from chatnation.core.ingestion.event import Event, EventBatch

TENANT = 7
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
DEVICE = UUID("0190a000-0000-7000-8000-000000000001")
TOKEN = "cn-0123456789ab"


def event(**columns: Any) -> Event:
    properties = columns.pop("properties", {})
    defaults: dict[str, Any] = {
        "tenant_id": TENANT,
        "project_id": 1,
        "message_id": uuid4(),
        "event_name": "page_view",
        "event_type": "track",
        "timestamp": NOW,
        "received_at": NOW,
    }
    return Event(**{**defaults, **columns}, properties=msgspec.json.encode(properties))


def gathered(*events: Event) -> Evidence:
    recogniser, batch = Recogniser(), EventBatch(TENANT, events)
    return recogniser.gather(batch, recogniser.recognise(batch))


def leaf(kind: Kind, value: str | UUID) -> UUID:
    return leaf_id(TENANT, kind, str(value))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A012345678Z", (Kind.USER, "A012345678Z")),
        ("254711000000", (Kind.PHONE, "254711000000")),
        ("+254711000000", (Kind.PHONE, "254711000000")),
        ("123456789", (Kind.USER, "123456789")),
        ("1234567890123456", (Kind.USER, "1234567890123456")),
        ("KE.13491208655302741918", (Kind.HANDLE, "KE.13491208655302741918")),
        (" jane ", (Kind.USER, "jane")),
        ("Guest", None),
        ("", None),
    ],
)
def test_a_user_id_is_a_user_a_phone_number_or_a_handle(text: str, name: object) -> None:
    assert user_id_name(text) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("+254 711 000-000", (Kind.PHONE, "254711000000")),
        ("711000000", (Kind.PHONE, "711000000")),
        ("asha.k", (Kind.HANDLE, "asha.k")),
        ("null", None),
    ],
)
def test_an_external_id_is_a_phone_number_or_a_handle(text: str, name: object) -> None:
    assert external_id_name(text) == name


@pytest.mark.parametrize(
    "text",
    ["null", "NULL", "undefined", "None", "nil", "NaN", "guest", "Anonymous", "unknown", "N/A", "0", "-1", "true",
     "false", "[object Object]", "", "  ", '"null"', "00000000-0000-0000-0000-000000000000", "0000", "(not set)"],
)  # fmt: skip
def test_ids_that_name_nobody_are_bad(text: str) -> None:
    assert is_bad_id(text)


@pytest.mark.parametrize("text", ["A012345678Z", "1", "42", "nullah", "guesthouse", "007", "truett"])
def test_ids_that_name_somebody_are_not(text: str) -> None:
    assert not is_bad_id(text)


@pytest.mark.parametrize("text", ["null", "Guest", "UNDEFINED", "[object Object]", str(UUID(int=0))])
def test_anonymous_ids_made_of_bad_words_are_bad(text: str) -> None:
    assert is_bad_anonymous_id(TENANT, client_uuid(TENANT, text))


def test_an_event_belongs_to_the_strongest_id_on_it() -> None:
    batch = EventBatch(
        TENANT,
        [
            event(anonymous_id=DEVICE, user_id="A1", external_id="254711000000"),
            event(anonymous_id=DEVICE, external_id="254711000000"),
            event(anonymous_id=DEVICE),
            event(handshake_token="from-the-bot"),
            event(),
        ],
    )
    Recogniser().recognise(batch)
    assert [its.person_id for its in batch] == [
        leaf(Kind.USER, "A1"),
        leaf(Kind.PHONE, "254711000000"),
        leaf(Kind.ANONYMOUS, DEVICE),
        leaf(Kind.HANDSHAKE, "from-the-bot"),
        None,
    ]


def test_bad_ids_count_as_absent_and_are_noted() -> None:
    its = event(anonymous_id=client_uuid(TENANT, "undefined"), user_id="guest", external_id="254711000000")
    evidence = gathered(its)
    assert (its.user_id, its.anonymous_id) == (None, None)
    assert its.person_id == leaf(Kind.PHONE, "254711000000")
    assert evidence.links == {}
    assert "guest" in evidence.bad_ids


def test_a_bad_id_on_one_event_does_not_touch_the_same_good_id_on_another() -> None:
    good, bad = event(user_id="A1", external_id="254711000000"), event(user_id="null", external_id="254711000000")
    gathered(good, bad)
    assert (good.user_id, bad.user_id) == ("A1", None)


def test_identify_and_login_are_told_apart() -> None:
    user, device = leaf(Kind.USER, "A1"), leaf(Kind.ANONYMOUS, DEVICE)
    identified = gathered(event(event_type="identify", anonymous_id=DEVICE, user_id="A1"))
    assert list(identified.links) == [link_key(user, device, Source.IDENTIFY)]
    logged_in = gathered(event(anonymous_id=DEVICE, user_id="A1"))
    assert list(logged_in.links) == [link_key(user, device, Source.LOGIN)]


def test_a_link_is_as_old_as_its_earliest_event() -> None:
    late, early = (event(anonymous_id=DEVICE, user_id="A1", timestamp=NOW + timedelta(hours=h)) for h in (2, 1))
    assert list(gathered(late, early).links.values()) == [early.timestamp]


def test_a_whatsapp_user_id_that_is_the_phone_number_is_no_user() -> None:
    its = event(channel_type="whatsapp", user_id="711000000", external_id="+711 000 000")
    evidence = gathered(its)
    assert its.person_id == leaf(Kind.PHONE, "711000000")
    assert evidence.links == {}


def test_a_contact_without_a_number_is_known_by_handle() -> None:
    its = event(channel_type="whatsapp", user_id="KE.13491208655302741918", external_id=None)
    gathered(its)
    assert its.person_id == leaf(Kind.HANDLE, "KE.13491208655302741918")


def test_a_handle_and_a_number_on_one_message_are_linked() -> None:
    evidence = gathered(event(channel_type="whatsapp", user_id="KE.13491208655302741918", external_id="254711000000"))
    phone, handle = leaf(Kind.PHONE, "254711000000"), leaf(Kind.HANDLE, "KE.13491208655302741918")
    assert list(evidence.links) == [link_key(phone, handle, Source.EXTERNAL_ID)]


def test_a_token_on_a_page_leads_to_the_browser() -> None:
    evidence = gathered(event(anonymous_id=DEVICE, user_id="A1", handshake_token="bot-made-1"))
    token, device = leaf(Kind.HANDSHAKE, "bot-made-1"), leaf(Kind.ANONYMOUS, DEVICE)
    assert link_key(token, device, Source.HANDSHAKE) in evidence.links


def test_a_token_on_a_sent_message_leads_to_the_contact() -> None:
    its = event(
        channel_type="whatsapp", event_name="message.sent", user_id="agent-5", external_id="254711000000",
        handshake_token="bot-made-1",
    )  # fmt: skip
    token, phone = leaf(Kind.HANDSHAKE, "bot-made-1"), leaf(Kind.PHONE, "254711000000")
    assert link_key(token, phone, Source.HANDSHAKE) in gathered(its).links


@pytest.mark.parametrize(
    "properties",
    [
        {"text": f"Hi, please keep {TOKEN} in this message"},
        {"text": {"body": f"({TOKEN.upper()})"}},
        {"content": TOKEN},
        {"caption": f"ref:{TOKEN}."},
    ],
)
def test_a_token_in_the_text_of_a_message_leads_to_the_contact(properties: dict[str, Any]) -> None:
    its = event(
        channel_type="whatsapp", event_name="message.received", external_id="254711000000", properties=properties
    )
    token, phone = leaf(Kind.HANDSHAKE, TOKEN), leaf(Kind.PHONE, "254711000000")
    assert list(gathered(its).links) == [link_key(token, phone, Source.HANDSHAKE)]


@pytest.mark.parametrize(
    "properties",
    [
        {"text": f"x{TOKEN}"},
        {"text": f"{TOKEN}0"},
        {"text": "cn-0123456789ai"},
        {"media_url": f"https://example.org/{TOKEN}"},
    ],
)
def test_what_only_looks_like_a_token_leads_nowhere(properties: dict[str, Any]) -> None:
    its = event(
        channel_type="whatsapp", event_name="message.received", external_id="254711000000", properties=properties
    )
    assert gathered(its).links == {}


def test_a_token_in_a_web_form_is_no_message() -> None:
    its = event(anonymous_id=DEVICE, event_name="form_submit", properties={"text": TOKEN})
    assert gathered(its).links == {}


def test_an_alias_links_the_previous_id_as_a_user_and_as_a_browser() -> None:
    evidence = gathered(event(event_type="alias", user_id="new", previous_id="old"))
    now = leaf(Kind.USER, "new")
    assert set(evidence.links) == {
        link_key(now, leaf(Kind.USER, "old"), Source.ALIAS),
        link_key(now, leaf(Kind.ANONYMOUS, client_uuid(TENANT, "old")), Source.ALIAS),
    }


@pytest.mark.parametrize("previous", ["same", "null", ""])
def test_an_alias_to_itself_or_to_nobody_says_nothing(previous: str) -> None:
    assert gathered(event(event_type="alias", user_id="same", previous_id=previous)).links == {}


def test_traits_come_from_identify_and_keep_their_json() -> None:
    its = event(
        event_type="identify", user_id="A1", properties={"name": "Asha", "age": 30, "userId": "A1", "x" * 101: 1}
    )
    evidence = gathered(its, event(user_id="A1", properties={"name": "not a trait"}))
    assert {(trait.key, trait.value) for trait in evidence.traits} == {("name", b'"Asha"'), ("age", b"30")}


def test_events_with_properties_that_are_no_object_have_no_traits() -> None:
    its = event(event_type="identify", user_id="A1")
    its.properties = b"[1, 2]"
    assert gathered(its).traits == []


def test_what_is_remembered_is_bounded() -> None:
    recogniser = Recogniser(remembered=10)
    batch = EventBatch(TENANT, [event(anonymous_id=uuid4()) for _ in range(100)])
    recogniser.recognise(batch)
    remembered = recogniser._ids
    assert len(remembered._young) + len(remembered._old) <= 20
    assert batch.events[0].person_id == leaf(Kind.ANONYMOUS, batch.events[0].anonymous_id or "")
