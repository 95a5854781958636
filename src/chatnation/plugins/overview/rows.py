"""The rows behind the numbers: sessions and events of a period, newest first, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Slice, decode_cursor, slice_rows
from chatnation.plugins.dashboard.api import Period, PeriodQuery

UNKNOWN = "unknown"
"""In a filter: sessions without a value."""

PAGE_SIZE = 50


class SessionQuery(PeriodQuery):
    """Which sessions to list; filters that are not given do not narrow."""

    device: str | None = Field(None, max_length=100, description="Kind of device, or `unknown`.")
    browser: str | None = Field(None, max_length=100, description="Browser, or `unknown`.")
    country: str | None = Field(None, max_length=10, description="Two-letter country code, or `unknown`.")
    weekday: int | None = Field(None, ge=0, le=6, description="Weekday of the beginning, 0 is Sunday.")
    hour: int | None = Field(None, ge=0, le=23, description="Local hour of the beginning.")
    converted: bool | None = Field(None, description="Whether a conversion event happened.")
    identified: bool | None = Field(None, description="Whether a user id or phone number was seen.")
    page: str | None = Field(None, max_length=2000, description="A page path that was looked at.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(PAGE_SIZE, ge=1, le=200, description="Rows in a page.")

    def filters(self) -> dict[str, str]:
        """The filters that are set, as query parameters."""
        names = ("device", "browser", "country", "weekday", "hour", "converted", "identified", "page")
        return {name: _plain(getattr(self, name)) for name in names if getattr(self, name) is not None}


class EventQuery(PeriodQuery):
    """Which events to list."""

    event_name: str | None = Field(None, max_length=200, description="Name of the event.")
    page: str | None = Field(None, max_length=2000, description="Path of the page on which it happened.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(PAGE_SIZE, ge=1, le=200, description="Rows in a page.")

    def filters(self) -> dict[str, str]:
        """The filters that are set, as query parameters."""
        return {name: value for name in ("event_name", "page") if (value := getattr(self, name)) is not None}


class SessionRow(BaseModel):
    """One session."""

    session_id: UUID
    person_id: UUID = Field(description="The person behind the session; it may change when persons are joined.")
    started_at: datetime
    ended_at: datetime
    channel_type: str
    events: int
    page_views: int
    user_id: str | None
    entry_page: str | None
    exit_page: str | None
    referrer: str | None
    utm_source: str | None
    utm_campaign: str | None
    device_type: str | None
    browser_name: str | None
    country_code: str | None
    converted_at: datetime | None
    conversion_event: str | None

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return (self.ended_at - self.started_at).total_seconds()


class EventRow(BaseModel):
    """One event."""

    message_id: UUID
    timestamp: datetime
    event_name: str
    channel_type: str
    person_id: UUID | None
    page_path: str | None
    page_title: str | None
    country_code: str | None
    user_id: str | None


@dataclass(frozen=True, slots=True)
class _Condition:
    """SQL, and the parameters that it needs."""

    sql: str
    parameters: dict[str, Any]


async def sessions(
    connection: AsyncConnection, tenant_id: int, period: Period, query: SessionQuery
) -> Slice[SessionRow]:
    """A page of the sessions that began in `period`, bots left out."""
    conditions = [*_session_conditions(query, period), *_after(query.after, "s.started_at", "s.session_id")]
    statement = text(_SESSIONS.format(conditions="".join(f" AND {condition.sql}" for condition in conditions)))
    parameters = _parameters(tenant_id, period, query.limit, conditions)
    rows = [SessionRow.model_validate(dict(row._mapping)) for row in await connection.execute(statement, parameters)]
    return slice_rows(rows, query.limit, lambda row: (row.started_at, row.session_id))


async def events(connection: AsyncConnection, tenant_id: int, period: Period, query: EventQuery) -> Slice[EventRow]:
    """A page of the events that happened in `period`, bots left out."""
    conditions = [*_after(query.after, "e.timestamp", "e.message_id")]
    if query.event_name is not None:
        conditions.append(_Condition("e.event_name = :event_name", {"event_name": query.event_name}))
    if query.page is not None:
        conditions.append(_Condition("e.page_path = :page", {"page": query.page}))
    statement = text(_EVENTS.format(conditions="".join(f" AND {condition.sql}" for condition in conditions)))
    parameters = _parameters(tenant_id, period, query.limit, conditions)
    rows = [EventRow.model_validate(dict(row._mapping)) for row in await connection.execute(statement, parameters)]
    return slice_rows(rows, query.limit, lambda row: (row.timestamp, row.message_id))


def _session_conditions(query: SessionQuery, period: Period) -> list[_Condition]:
    conditions = []
    for name, column in (("device", "device_type"), ("browser", "browser_name"), ("country", "country_code")):
        value = getattr(query, name)
        if value == UNKNOWN:
            conditions.append(_Condition(f"s.{column} IS NULL", {}))
        elif value is not None:
            conditions.append(_Condition(f"s.{column} = :{name}", {name: value}))
    local = "s.started_at AT TIME ZONE :zone"
    for name, part in (("weekday", "dow"), ("hour", "hour")):
        value = getattr(query, name)
        if value is not None:
            sql = f"extract({part} FROM {local})::int = CAST(:{name} AS int)"
            conditions.append(_Condition(sql, {name: value, "zone": period.timezone}))
    for name, column in (("converted", "converted_at"), ("identified", "user_id")):
        value = getattr(query, name)
        if value is not None:
            conditions.append(_Condition(f"s.{column} IS {'NOT ' if value else ''}NULL", {}))
    if query.page is not None:
        conditions.append(_Condition(_LOOKED_AT, {"page": query.page}))
    return conditions


def _after(cursor: str | None, *columns: str) -> list[_Condition]:
    if not cursor:
        return []
    time, key = decode_cursor(cursor, (datetime, UUID))
    sql = f"({', '.join(columns)}) < (CAST(:after_time AS timestamptz), CAST(:after_key AS uuid))"
    return [_Condition(sql, {"after_time": time, "after_key": key})]


def _parameters(tenant_id: int, period: Period, limit: int, conditions: list[_Condition]) -> dict[str, Any]:
    parameters = {"tenant": tenant_id, "start": period.start, "end": period.end, "limit": limit + 1}
    for condition in conditions:
        parameters |= condition.parameters
    return parameters


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_SESSIONS = """
    SELECT s.session_id, coalesce(m.person_id, s.person_id) AS person_id, s.started_at, s.ended_at, s.channel_type,
           s.event_count AS events, s.page_count AS page_views, s.user_id, s.entry_page, s.exit_page, s.referrer,
           s.utm_source, s.utm_campaign, s.device_type, s.browser_name, s.country_code, s.converted_at,
           s.conversion_event
      FROM sessions.sessions s
      LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
     WHERE s.tenant_id = :tenant AND s.started_at >= :start AND s.started_at < :end AND NOT s.is_bot{conditions}
     ORDER BY s.started_at DESC, s.session_id DESC LIMIT :limit
"""
_EVENTS = """
    SELECT e.message_id, e.timestamp, e.event_name, e.channel_type, coalesce(m.person_id, e.person_id) AS person_id,
           e.page_path, e.page_title, e.country_code, e.user_id
      FROM events e
      LEFT JOIN person_merges m ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id
     WHERE e.tenant_id = :tenant AND e.timestamp >= :start AND e.timestamp < :end AND NOT e.is_bot{conditions}
     ORDER BY e.timestamp DESC, e.message_id DESC LIMIT :limit
"""
_LOOKED_AT = """
    EXISTS (
        SELECT FROM events e
         WHERE e.tenant_id = s.tenant_id AND e.event_name = 'page_view' AND e.page_path = :page
           AND e.timestamp BETWEEN s.started_at AND s.ended_at AND e.project_id = s.project_id
           AND e.channel_type = s.channel_type AND coalesce(e.anonymous_id, e.person_id) = s.visitor
           AND e.session_id IS NOT DISTINCT FROM s.hint
    )
"""
