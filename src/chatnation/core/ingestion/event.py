"""The shapes that events take between the wire and the table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import msgspec


class Delivery(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One accepted request on its way to the processor.

    `id` is made by the collector and names the delivery for ever: the processor stores a delivery once, however
    often the stream hands it over. `body` is the inflated JSON of a native batch (see `wire.py`) of `count` events, all
    of them acceptable. Times are Unix milliseconds. `ip` is already masked when the project says so; `geo_ip` keeps the
    address for the location stage where the project allows that, and is never stored. `server_side`: the connection
    came from a customer's server, so that its address and its library's name are not the visitor's. `replays` counts
    how often an operator took the delivery back from the dead letters.
    """

    id: bytes
    tenant_id: int
    project_id: int
    received_ms: int
    count: int
    body: bytes
    ip: str | None = None
    geo_ip: str | None = None
    user_agent: str | None = None
    server_side: bool = False
    replays: int = 0


class Event(msgspec.Struct, gc=False, kw_only=True):
    """One event as it will be stored: the columns of `events`, plus what stages add on the way.

    `properties` is the client's JSON object as bytes; use `EventBatch.properties` to read it. `geo_ip` and
    `user_agent` are inputs of stages and are not columns; SDK, user agent and what was read from it are in the row of
    `clients` that `client_id` names.
    """

    tenant_id: int
    project_id: int
    message_id: UUID
    event_name: str
    event_type: str
    timestamp: datetime
    received_at: datetime
    event_id: UUID | None = None
    message_ref: str | None = None
    claimed_at: datetime | None = None
    has_claim: bool = True
    skew_ms: int | None = None
    sequence: int | None = None
    anonymous_id: UUID | None = None
    session_id: UUID | None = None
    user_id: str | None = None
    external_id: str | None = None
    previous_id: str | None = None
    handshake_token: str | None = None
    person_id: UUID | None = None
    channel_type: str = "web"
    page_path: str | None = None
    page_url: str | None = None
    page_title: str | None = None
    referrer: str | None = None
    campaign: dict[str, str] | None = None
    country_code: str | None = None
    city: str | None = None
    ip_address: str | None = None
    geo_ip: str | None = None
    user_agent: str | None = None
    client_id: int | None = None
    device_type: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    browser_name: str | None = None
    browser_version: str | None = None
    is_bot: bool = False
    sdk_name: str | None = None
    sdk_version: str | None = None
    journey_start: bool = False
    journey_end: bool = False
    properties: bytes = b"{}"
    delivery: int = 0


class EventBatch:
    """Events of one tenant, in the order in which they were received.

    Stages change its events in place. `properties(event)` decodes an event's properties once and keeps the result;
    `grouped(...)` sorts the events by what they have in common, once for all projections that ask for the same.
    """

    __slots__ = ("_decoded", "_grouped", "events", "tenant_id")

    def __init__(self, tenant_id: int, events: Iterable[Event]) -> None:
        self.tenant_id = tenant_id
        self.events = list(events)
        self._decoded: dict[int, dict[str, object]] = {}
        self._grouped: dict[tuple[str, ...], Mapping[tuple[Any, ...], Sequence[Event]]] = {}

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def properties(self, event: Event) -> dict[str, object]:
        """The properties of `event` as a dict; do not change it, set `event.properties` instead."""
        decoded = self._decoded.get(id(event))
        if decoded is None:
            value = msgspec.json.decode(event.properties)
            decoded = self._decoded[id(event)] = value if isinstance(value, dict) else {}
        return decoded

    def grouped(self, *names: str) -> Mapping[tuple[Any, ...], Sequence[Event]]:
        """The events by their values of at least two attributes, in order; do not change the answer.

        For projections: what stages change afterwards is not seen.
        """
        found = self._grouped.get(names)
        if found is None:
            found = self._grouped[names] = _grouped(self.events, names)
        return found


def _grouped(events: Iterable[Event], names: Sequence[str]) -> Mapping[tuple[Any, ...], Sequence[Event]]:
    groups: defaultdict[tuple[Any, ...], list[Event]] = defaultdict(list)
    values = attrgetter(*names)
    last: tuple[Any, ...] | None = None
    group: list[Event] = []
    for event in events:
        key = values(event)
        if key != last:  # Events that came together are mostly alike, and a comparison is cheaper than a hash.
            group, last = groups[key], key
        group.append(event)
    return groups
