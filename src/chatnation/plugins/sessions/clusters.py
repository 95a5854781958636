"""Events of a batch gathered into clusters: the parts that sessions are merged from.

A cluster is one visitor's events with no pause longer than the gap. Everything in it is a minimum, a maximum, a sum,
or the value at the first or last event of a kind, so clusters of the same visit can be merged in any order and give
the same session. "First" and "last" follow the event order: time, then the client's sequence number, then message id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from chatnation import Event

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
CAMPAIGN = dict(zip(("source", "medium", "name", "term", "content"), UTM, strict=True))
"""Keys of `context.campaign` and the UTM parameters that they come from."""

CLICK_IDS = ("gclid", "wbraid", "gbraid", "fbclid", "ctwa_clid", "msclkid", "ttclid", "twclid", "li_fat_id")

IGNORED = frozenset({"message.delivered", "message.read", "campaign.sent"})
"""Receipts and mass mailings: they tell of a phone or a server, not of a visit."""

JOURNEY_EVENTS = frozenset({"agent.handoff"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_SEQUENCE = 0xFFFFFFFF
_NAMED, _UNNAMED = b"\x00", b"\x01"
"""An event with a user id says who the visitor is before any event without one."""


@dataclass(slots=True)
class First:
    """Named texts taken from the first event of a kind, or the last; `key` is that event's place in the order."""

    key: bytes | None = None
    values: dict[str, str | None] = field(default_factory=dict)


@dataclass(slots=True)
class Cluster:
    """What a batch says about one visit."""

    project_id: int
    channel_type: str
    visitor: UUID
    hint: UUID | None
    started_at: datetime
    ended_at: datetime
    event_count: int = 0
    page_count: int = 0
    is_bot: bool = False
    converted_at: datetime | None = None
    journey_at: datetime | None = None
    person_id: UUID | None = None
    user: First = field(default_factory=First)
    landing: First = field(default_factory=First)
    exit: First = field(default_factory=First)
    device: First = field(default_factory=First)
    place: First = field(default_factory=First)
    conversion: First = field(default_factory=First)


def clusters(events: Iterable[Event], gap: timedelta, conversion_events: frozenset[str]) -> list[Cluster]:
    """The clusters of `events`, which belong to one tenant and may come in any order."""
    visits: dict[tuple[int, str, UUID, UUID | None], list[tuple[bytes, Event]]] = {}
    for event in events:
        if event.event_name in IGNORED or event.person_id is None:
            continue
        visits.setdefault(_visit(event), []).append((_place(event), event))
    found: list[Cluster] = []
    for visit, placed in visits.items():
        placed.sort(key=_key)
        found.extend(_split(visit, placed, gap, conversion_events))
    return found


def _visit(event: Event) -> tuple[int, str, UUID, UUID | None]:
    assert event.person_id is not None
    if event.channel_type == "whatsapp":
        return event.project_id, event.channel_type, event.person_id, None
    return event.project_id, event.channel_type, event.anonymous_id or event.person_id, event.session_id


def _place(event: Event) -> bytes:
    """28 bytes that sort like the event order."""
    micros = (event.timestamp - _EPOCH) // _MICROSECOND + (1 << 62)
    sequence = _NO_SEQUENCE if event.sequence is None else event.sequence
    return micros.to_bytes(8, "big") + sequence.to_bytes(4, "big") + event.message_id.bytes


def _key(placed: tuple[bytes, Event]) -> bytes:
    return placed[0]


def _split(
    visit: tuple[int, str, UUID, UUID | None],
    placed: Sequence[tuple[bytes, Event]],
    gap: timedelta,
    conversion_events: frozenset[str],
) -> Iterable[Cluster]:
    cluster: Cluster | None = None
    for key, event in placed:
        if cluster is None or event.timestamp - cluster.ended_at > gap:
            if cluster is not None:
                yield cluster
            cluster = Cluster(*visit, event.timestamp, event.timestamp)
        _add(cluster, key, event, conversion_events)
    if cluster is not None:
        yield cluster


def _add(cluster: Cluster, key: bytes, event: Event, conversion_events: frozenset[str]) -> None:
    """Add an event that is later in the order than all of `cluster`."""
    cluster.ended_at = event.timestamp
    cluster.event_count += 1
    cluster.is_bot = cluster.is_bot or event.is_bot
    if event.event_type == "page" or event.event_name == "page_view":
        cluster.page_count += 1
    if cluster.journey_at is None and (event.journey_start or event.event_name in JOURNEY_EVENTS):
        cluster.journey_at = event.timestamp
    if event.event_name in conversion_events and cluster.converted_at is None:
        cluster.converted_at = event.timestamp
        cluster.conversion = First(key, {"conversion_event": event.event_name})
    owner_key = (_UNNAMED if event.user_id is None else _NAMED) + key
    if cluster.user.key is None or owner_key < cluster.user.key:
        cluster.user = First(owner_key, {"user_id": event.user_id})
        cluster.person_id = event.person_id
    if event.page_path is not None:
        cluster.exit = First(key, {"exit_page": event.page_path})
    if event.page_path is not None or event.page_url is not None:
        _once(cluster.landing, key, lambda: landing_values(event))
    if event.device_type is not None:
        _once(
            cluster.device,
            key,
            lambda: {
                "device_type": event.device_type,
                "os_name": event.os_name,
                "browser_name": event.browser_name,
            },
        )
    if event.country_code is not None:
        _once(cluster.place, key, lambda: {"country_code": event.country_code, "city": event.city})


def _once(first: First, key: bytes, values: Callable[[], dict[str, str | None]]) -> None:
    if first.key is None:
        first.key, first.values = key, values()


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
