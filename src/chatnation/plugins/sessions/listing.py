"""Sessions one by one: those that meet conditions, a page at a time, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LISTED_COLUMNS = (
    "channel_type", "device_type", "os_name", "browser_name", "country_code", "city", "entry_page", "exit_page",
    "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "conversion_event", "user_id",
)  # fmt: skip
"""What sessions can be narrowed by: each is a text, or missing."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. `person_id` is canonical, and None where it is not to be told; `duration` is in seconds."""

    session_id: UUID
    person_id: UUID | None
    visitor: UUID
    hint: UUID | None
    project_id: int
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


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Sessions that began from `start` up to, not including, `end`, and meet all that is given.

    `values`: of a column of `LISTED_COLUMNS` the texts of which one has to match, None for a missing one. `weekday` (0
    is Sunday) and `hour` are those of `zone`. `page`: a path that was looked at. `leaf_ids`: of one person.
    """

    start: datetime
    end: datetime
    zone: str
    values: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    converted: bool | None = None
    identified: bool | None = None
    journey: bool | None = None
    weekday: int | None = None
    hour: int | None = None
    page: str | None = None
    leaf_ids: Sequence[UUID] | None = None
    include_bots: bool = False


@dataclass(frozen=True, slots=True)
class SessionTotals:
    """How many sessions, how many of them converted, and the first and last of their times; None without any."""

    sessions: int
    converted: int
    first_seen: datetime | None
    last_seen: datetime | None


async def list_sessions(
    connection: AsyncConnection,
    tenant_id: int,
    wanted: SessionFilter,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[SessionRow]:
    """Sessions by their beginning, the latest first, from the one after `before`; one more than `limit`."""
    condition, parameters = _condition(tenant_id, wanted)
    if before is not None:
        condition += " AND (s.started_at, s.session_id) < (CAST(:before AS timestamptz), CAST(:before_id AS uuid))"
        parameters |= {"before": before[0], "before_id": before[1]}
    statement = f"{_ROWS} WHERE {condition} ORDER BY s.started_at DESC, s.session_id DESC LIMIT :limit"
    rows = await connection.execute(text(statement), {**parameters, "limit": limit + 1})
    return [SessionRow(*row) for row in rows]


async def total_sessions(connection: AsyncConnection, tenant_id: int, wanted: SessionFilter) -> SessionTotals:
    """What the sessions that meet the conditions add up to."""
    condition, parameters = _condition(tenant_id, wanted)
    row = (await connection.execute(text(f"{_TOTALS} WHERE {condition}"), parameters)).one()
    return SessionTotals(*row)


async def sessions_called(connection: AsyncConnection, tenant_id: int, session_id: UUID) -> list[SessionRow]:
    """The session with this id; or those to which the client gave it, oldest first."""
    about = {"tenant": tenant_id, "session": session_id}
    rows = [SessionRow(*row) for row in await connection.execute(text(_BY_ID), about)]
    return [row for row in rows if row.session_id == session_id] or rows


async def totals_of_persons(
    connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]
) -> dict[UUID, tuple[int, int]]:
    """How many sessions each of some canonical persons has, and how many of them converted; known bots' too."""
    rows = await connection.execute(text(_OF_PERSONS), {"tenant": tenant_id, "persons": list(persons)})
    return {person: (sessions, converted) for person, sessions, converted in rows}


def _condition(tenant_id: int, wanted: SessionFilter) -> tuple[str, dict[str, Any]]:
    """SQL for what `s` has to meet, and its parameters."""
    conditions = ["s.tenant_id = :tenant", "s.started_at >= :start", "s.started_at < :end"]
    parameters: dict[str, Any] = {"tenant": tenant_id, "start": wanted.start, "end": wanted.end}
    if not wanted.include_bots:
        conditions.append("NOT s.is_bot")
    for column, values in wanted.values.items():
        if column not in LISTED_COLUMNS:
            raise ValueError(f"sessions cannot be narrowed by {column}")
        known = [value for value in values if value is not None]
        missing = f" OR s.{column} IS NULL" if None in values else ""
        conditions.append(f"(s.{column} = ANY (:{column}){missing})")
        parameters[column] = known
    flags = (("converted_at", wanted.converted), ("user_id", wanted.identified), ("journey_at", wanted.journey))
    conditions += [f"s.{column} IS {'NOT ' if flag else ''}NULL" for column, flag in flags if flag is not None]
    for part, value in (("dow", wanted.weekday), ("hour", wanted.hour)):
        if value is not None:
            conditions.append(f"extract({part} FROM s.started_at AT TIME ZONE :zone)::int = CAST(:{part} AS int)")
            parameters |= {part: value, "zone": wanted.zone}
    if wanted.page is not None:
        conditions.append(_LOOKED_AT)
        parameters["page"] = wanted.page
    if wanted.leaf_ids is not None:
        conditions.append("s.person_id = ANY (:leafs)")
        parameters["leafs"] = list(wanted.leaf_ids)
    return " AND ".join(conditions), parameters


_ROWS = """
    SELECT s.session_id, coalesce(m.person_id, s.person_id), s.visitor, s.hint, s.project_id, s.started_at, s.ended_at,
           extract(epoch FROM s.ended_at - s.started_at)::float8, s.event_count, s.page_count, s.channel_type,
           s.user_id, s.entry_page, s.exit_page, s.referrer, s.utm_source, s.utm_medium, s.utm_campaign, s.utm_term,
           s.utm_content, s.device_type, s.os_name, s.browser_name, s.country_code, s.city, s.converted_at,
           s.conversion_event, s.is_bot
      FROM sessions.sessions s
      LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
"""
_TOTALS = """
    SELECT count(*), count(s.converted_at), min(s.started_at), max(s.ended_at) FROM sessions.sessions s
"""
_BY_ID = f"""
    {_ROWS} WHERE s.tenant_id = :tenant AND s.session_id = :session
     UNION ALL
    {_ROWS} WHERE s.tenant_id = :tenant AND s.session_id <> :session AND s.hint = :session
       AND s.visitor IN (SELECT coalesce(anonymous_id, person_id) FROM events
                          WHERE tenant_id = :tenant AND session_id = :session)
     ORDER BY started_at, session_id
"""
_OF_PERSONS = """
    SELECT coalesce(m.person_id, s.person_id), count(*), count(s.converted_at)
      FROM sessions.sessions s
      LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
     WHERE s.tenant_id = :tenant
       AND s.person_id = ANY (ARRAY(
            SELECT unnest(CAST(:persons AS uuid[]))
             UNION ALL
            SELECT leaf_id FROM person_merges WHERE tenant_id = :tenant AND person_id = ANY (:persons)))
     GROUP BY 1
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
