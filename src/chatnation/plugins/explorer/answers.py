"""Answers of the explorer's API. Times have an offset; durations are seconds, shares 0 to 1."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chatnation.plugins.dashboard.api import PeriodAnswer
from chatnation.query import EventRow


class EventList(BaseModel):
    """Events of a period, newest first; of a session, oldest first. Their persons may change when some are joined."""

    period: PeriodAnswer
    items: list[EventRow]
    next_cursor: str | None


class RecentEvents(BaseModel):
    """Events of the last minutes, newest first."""

    period: PeriodAnswer
    items: list[EventRow]


class NameCount(BaseModel):
    """How many events have a name."""

    event_name: str
    count: int


class EventNames(BaseModel):
    """Names of events, the most frequent first."""

    period: PeriodAnswer
    data: list[NameCount]


class PropertyAnswer(BaseModel):
    """A property as it was seen in the newest events: in how many, of which types, and examples as JSON."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    count: int
    types: dict[str, int]
    examples: list[str]
    description: str = ""


class CatalogueAnswer(BaseModel):
    """An event name: what is said of it, and what came under it. Not seen in the period: `count` is 0."""

    event_name: str
    description: str
    count: int
    persons: int
    first_seen: datetime | None
    last_seen: datetime | None
    senders: dict[str, int]
    channels: dict[str, int]
    sampled: int = Field(description="So many of the newest events were looked at for the properties.")
    properties: list[PropertyAnswer]


class Catalogue(BaseModel):
    """Every event name, the most frequent first; then those that plugins describe and that were not seen."""

    period: PeriodAnswer
    data: list[CatalogueAnswer]


class ValueCount(BaseModel):
    """How many events, and persons, have a value of the property; null: it is missing."""

    value: str | None
    count: int
    persons: int


class SpreadAnswer(BaseModel):
    """The numbers of a property in short; null where there are none."""

    model_config = ConfigDict(from_attributes=True)

    count: int
    mean: float | None
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None


class DayCount(BaseModel):
    """Events of a local day."""

    date: date
    count: int


class PropertyReport(BaseModel):
    """A property of an event: its values, its numbers, and the events over time."""

    period: PeriodAnswer
    event_name: str | None
    property: str
    values: list[ValueCount]
    other: int = Field(description="Events with other values than those listed.")
    numbers: SpreadAnswer
    unusable: int = Field(description="Values that are no numbers.")
    days: list[DayCount]


class SessionAnswer(BaseModel):
    """A session."""

    model_config = ConfigDict(from_attributes=True)

    session_id: UUID
    person_id: UUID | None = Field(
        description="The person behind it; it may change when persons are joined. Null, as is `user_id`, for those who"
        " may not see persons."
    )
    started_at: datetime
    ended_at: datetime
    duration: float
    events: int
    page_views: int
    channel_type: str
    user_id: str | None
    entry_page: str | None
    exit_page: str | None
    referrer: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    utm_term: str | None
    utm_content: str | None
    device_type: str | None
    os_name: str | None
    browser_name: str | None
    country_code: str | None
    city: str | None
    converted_at: datetime | None
    conversion_event: str | None
    is_bot: bool


class SessionList(BaseModel):
    """A page of sessions, newest first, and how many there are in all."""

    period: PeriodAnswer
    items: list[SessionAnswer]
    total: int
    converted: int
    next_cursor: str | None


class SessionDetail(BaseModel):
    """A session with its events, oldest first."""

    session: SessionAnswer
    events: list[EventRow]


class FoundUser(BaseModel):
    """A person that a search found. `id` and `type` are those of their strongest id."""

    person_id: UUID
    id: str
    type: str = Field(description="user, phone, handle or anonymous.")
    label: str = Field(description="Their name, where it is known.")
    total_sessions: int | None = Field(description="Null where sessions are switched off.")
    total_events: int
    first_seen: datetime
    last_seen: datetime


class FoundUsers(BaseModel):
    """Persons that a search found, those with exactly this id first, then whoever was seen last."""

    users: list[FoundUser]


class JourneyUser(BaseModel):
    """A person with true totals."""

    person_id: UUID
    id: str
    type: str
    label: str
    ids: list[dict[str, Any]]
    traits: dict[str, Any]
    total_sessions: int | None
    total_events: int
    total_conversions: int | None
    first_seen: datetime
    last_seen: datetime


class Journey(BaseModel):
    """A person, their latest sessions, and a page of their events, newest first."""

    user: JourneyUser
    sessions: list[SessionAnswer]
    events: list[EventRow]
    next_cursor: str | None
