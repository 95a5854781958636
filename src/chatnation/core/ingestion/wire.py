"""The native batch as JSON: the shape that the collector accepts, puts on the stream, and the processor reads.

Clients write snake_case at batch and event level and camelCase inside `context`; `canonical.py` brings every other
spelling into this one. Whatever is stored without being looked at again is kept as text here.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

EVENT_NAME_LENGTH = 100
EVENT_TYPE_LENGTH = 20
ID_LENGTH = 255
USER_ID_LENGTH = 100
MAX_SEQUENCE = 2**31 - 1

EventName = Annotated[str, msgspec.Meta(min_length=1, max_length=EVENT_NAME_LENGTH)]
EventType = Annotated[str, msgspec.Meta(max_length=EVENT_TYPE_LENGTH)]
Id = Annotated[str, msgspec.Meta(max_length=ID_LENGTH)]
UserId = Annotated[str, msgspec.Meta(max_length=USER_ID_LENGTH)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQUENCE)]


class Library(msgspec.Struct, gc=False, omit_defaults=True):
    """The sending library."""

    name: str | None = None
    version: str | None = None


class Page(msgspec.Struct, gc=False, omit_defaults=True):
    """The page on which the event happened."""

    path: str | None = None
    url: str | None = None
    title: str | None = None
    referrer: str | None = None
    search: str | None = None


class Context(msgspec.Struct, gc=False, omit_defaults=True, rename="camel"):
    """What surrounded the event. Keys that are not named here are accepted and not kept."""

    library: Library | None = None
    page: Page | None = None
    campaign: dict[str, str] | None = None
    user_agent: str | None = None
    channel: str | None = None
    external_id: str | None = None
    handshake_token: str | None = None


class EventFields(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """What every form of an event holds; times are ISO 8601 text or Unix time in milliseconds (or seconds)."""

    event_name: EventName
    event_type: EventType | None = None
    message_id: Id | None = None
    event_id: Id | None = None
    timestamp: str | int | float | None = None
    anonymous_id: Id | None = None
    session_id: Id | None = None
    user_id: UserId | None = None
    previous_id: UserId | None = None
    sequence: Sequence | None = None
    journey_start: bool | None = None
    journey_end: bool | None = None


class ClientContext(Context, forbid_unknown_fields=True, rename="camel"):
    """A context with only known keys; another key may be an alias, which takes the longer way."""

    locale: str | None = None
    timezone: str | None = None
    screen: dict[str, int | float | None] | None = None


class ClientEvent(EventFields, forbid_unknown_fields=True, kw_only=True):
    """An event that needs no translation. Properties are decoded in full, since that checks them in full."""

    context: ClientContext = msgspec.field(default_factory=ClientContext)
    properties: dict[str, Any] | None = None


class ClientBatch(msgspec.Struct, forbid_unknown_fields=True):
    """A request body that can go on the stream as it came."""

    batch: list[ClientEvent]
    sent_at: str | int | float | None = None
    write_key: str | None = None


class CanonicalEvent(EventFields, kw_only=True):
    """An event that was translated, with what the collector adds to it.

    `ip` and `geo_ip` are the visitor's address as the sender's server states it, treated by the project's mode;
    `use_connection` says that the connection's address is the visitor's after all. `project_scoped`: the message id is
    unique within the project only.
    """

    context: Context = msgspec.field(default_factory=Context)
    properties: dict[str, Any] | None = None
    ip: str | None = None
    geo_ip: str | None = None
    use_connection: bool = False
    project_scoped: bool = False


class CanonicalBatch(msgspec.Struct, omit_defaults=True):
    """A request body as the collector writes it anew."""

    batch: list[CanonicalEvent]
    sent_at: str | int | float | None = None


class StreamedEvent(EventFields, kw_only=True):
    """An event as the processor reads it; unknown keys are let pass, so that a newer collector may write them.

    `context` is read later, since events on one page have the same.
    """

    context: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    ip: str | None = None
    geo_ip: str | None = None
    use_connection: bool = False
    project_scoped: bool = False


class StreamedBatch(msgspec.Struct):
    """The body of a delivery."""

    batch: list[StreamedEvent]
    sent_at: str | int | float | None = None
