"""Events of a batch gathered into clusters: the parts that sessions are merged from.

A cluster is one visitor's events with no pause longer than the gap. Everything in it is a minimum, a maximum, a sum,
or the value at the first or last event of a kind, so clusters of the same visit can be merged in any order and give
the same session. "First" and "last" follow the event order: time, then the client's sequence number, then message id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from chatnation import Event, EventBatch

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
CAMPAIGN = dict(zip(("source", "medium", "name", "term", "content"), UTM, strict=True))
"""Keys of `context.campaign` and the UTM parameters that they come from."""

CLICK_IDS = ("gclid", "wbraid", "gbraid", "fbclid", "ctwa_clid", "msclkid", "ttclid", "twclid", "li_fat_id")

IGNORED = frozenset({"message.delivered", "message.read", "campaign.sent"})
"""Receipts and mass mailings: they tell of a phone or a server, not of a visit."""

JOURNEY_EVENTS = frozenset({"agent.handoff"})

ORIGIN = ("project_id", "channel_type", "anonymous_id", "person_id", "session_id")
"""Attributes of an event that say which visit it may belong to."""

LANDING = ("entry_page", "referrer", *UTM, "click_id")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_SEQUENCE = 0xFFFFFFFF
_quick_order = attrgetter("timestamp", "sequence", "message_id")
_is_bot = attrgetter("is_bot")
_starts_journey = attrgetter("journey_start")
_NAMED, _UNNAMED = b"\x00", b"\x01"
"""An event with a user id says who the visitor is before any event without one."""


class Visit(NamedTuple):
    """What events share that may belong to one session."""

    project_id: int
    channel_type: str
    visitor: UUID
    hint: UUID | None


class Cluster(NamedTuple):
    """What a batch says about one visit: a value for each column of a session but its id.

    A `_key` is the place in the event order of the event that gave the columns after it.
    """

    project_id: int
    channel_type: str
    visitor: UUID
    hint: UUID | None
    started_at: datetime
    ended_at: datetime
    event_count: int
    page_count: int
    is_bot: bool
    converted_at: datetime | None
    journey_at: datetime | None
    user_key: bytes
    user_id: str | None
    person_id: UUID | None
    landing_key: bytes | None
    entry_page: str | None
    referrer: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    utm_term: str | None
    utm_content: str | None
    click_id: str | None
    exit_key: bytes | None
    exit_page: str | None
    device_key: bytes | None
    device_type: str | None
    os_name: str | None
    browser_name: str | None
    place_key: bytes | None
    country_code: str | None
    city: str | None
    conversion_key: bytes | None
    conversion_event: str | None


def clusters(batch: EventBatch, gap: timedelta, conversion_events: frozenset[str]) -> list[Cluster]:
    """The clusters of the events of a batch, which may come in any order."""
    visits: defaultdict[Visit, list[Event]] = defaultdict(list)
    for origin, events in batch.grouped(*ORIGIN).items():
        visit = _visit(*origin)
        if visit is not None:
            visits[visit] += [event for event in events if event.event_name not in IGNORED]
    found: list[Cluster] = []
    for visit, members in visits.items():
        if members:
            _put_in_order(members)
            found += [_cluster(visit, run, conversion_events) for run in _runs(members, gap)]
    return found


def _visit(
    project_id: int, channel_type: str, anonymous_id: UUID | None, person_id: UUID | None, session_id: UUID | None
) -> Visit | None:
    """The visit that events of this origin belong to, if somebody made them."""
    if person_id is None:
        return None
    if channel_type == "whatsapp":
        return Visit(project_id, channel_type, person_id, None)
    return Visit(project_id, channel_type, anonymous_id or person_id, session_id)


def _put_in_order(events: list[Event]) -> None:
    try:
        events.sort(key=_quick_order)
    except TypeError:  # Of two at the same time only one has a number.
        events.sort(key=_order)


def _order(event: Event) -> tuple[datetime, int, bytes]:
    return event.timestamp, _NO_SEQUENCE if event.sequence is None else event.sequence, event.message_id.bytes


def _place(event: Event) -> bytes:
    """28 bytes that sort like `_order`."""
    timestamp, sequence, message_id = _order(event)
    micros = (timestamp - _EPOCH) // _MICROSECOND + (1 << 62)
    return micros.to_bytes(8, "big") + sequence.to_bytes(4, "big") + message_id


def _runs(members: Sequence[Event], gap: timedelta) -> Iterable[Sequence[Event]]:
    """`members`, in order, cut where the pause is longer than `gap`."""
    if members[-1].timestamp - members[0].timestamp <= gap:
        return (members,)
    pauses = [
        place for place in range(1, len(members)) if members[place].timestamp - members[place - 1].timestamp > gap
    ]
    return [members[start:end] for start, end in zip([0, *pauses], [*pauses, len(members)], strict=True)]


def _cluster(visit: Visit, events: Sequence[Event], conversion_events: frozenset[str]) -> Cluster:
    """The cluster of a visit's `events`, which are in order."""
    names = [event.event_name for event in events]
    converted = journey = None
    if not conversion_events.isdisjoint(names):
        converted = next(event for event in events if event.event_name in conversion_events)
    if any(map(_starts_journey, events)) or not JOURNEY_EVENTS.isdisjoint(names):
        journey = next(event for event in events if event.journey_start or event.event_name in JOURNEY_EVENTS)
    owner = next((event for event in events if event.user_id is not None), events[0])
    landing = next((event for event in events if event.page_path is not None or event.page_url is not None), None)
    leaving = next((event for event in reversed(events) if event.page_path is not None), None)
    device = next((event for event in events if event.device_type is not None), None)
    place = next((event for event in events if event.country_code is not None), None)
    marks = {id(event): event for event in (owner, landing, leaving, device, place, converted) if event is not None}
    keys = {mark: _place(event) for mark, event in marks.items()}  # Mostly it is one event that gives it all.
    columns = (
        *visit,
        events[0].timestamp,
        events[-1].timestamp,
        len(events),
        len([event for event in events if event.event_type == "page" or event.event_name == "page_view"]),
        any(map(_is_bot, events)),
        converted and converted.timestamp,
        journey and journey.timestamp,
        (_UNNAMED if owner.user_id is None else _NAMED) + keys[id(owner)],
        owner.user_id,
        owner.person_id,
        keys.get(id(landing)),
        *(map(landing_values(landing).get, LANDING) if landing else (None,) * len(LANDING)),
        keys.get(id(leaving)),
        leaving and leaving.page_path,
        keys.get(id(device)),
        *((device.device_type, device.os_name, device.browser_name) if device else (None, None, None)),
        keys.get(id(place)),
        *((place.country_code, place.city) if place else (None, None)),
        keys.get(id(converted)),
        converted and converted.event_name,
    )
    return Cluster._make(columns)


def landing_values(event: Event) -> dict[str, str | None]:
    """Entry page, referrer, UTM parameters and click id of the event that a visit began with.

    The address wins over `context.campaign`, because the latter may be remembered from an earlier visit.
    """
    values: dict[str, str | None] = {"entry_page": event.page_path, "referrer": event.referrer}
    for name, value in (event.campaign or {}).items():
        if name in CAMPAIGN and value:
            values[CAMPAIGN[name]] = value[:200]
    for name, value in _query(event.page_url):
        if name in UTM and value:
            values[name] = value[:200]
        elif name in CLICK_IDS and value and "click_id" not in values:
            values["click_id"] = f"{name}={value[:200]}"
    return values


def _query(url: str | None) -> list[tuple[str, str]]:
    if not url or "?" not in url:
        return []
    try:
        return parse_qsl(urlsplit(url).query, max_num_fields=200)
    except ValueError:
        return []
