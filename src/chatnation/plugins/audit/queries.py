"""Reading the log."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import NotFound, Problem, Slice, after_cursor, slice_rows
from chatnation.plugins.audit.models import records, seals

_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


class AuditQuery(BaseModel):
    """Which records to list; filters that are not set do not narrow."""

    start_date: date | datetime | None = Field(
        None, description="First day, or instant; without an offset in the tenant's time zone."
    )
    end_date: date | datetime | None = Field(
        None, description="Last day, that day included; or the instant before which."
    )
    action: str | None = Field(
        None, max_length=100, description="The action; `config.` with a dot at its end: all below."
    )
    actor_id: int | None = Field(None, ge=0, le=2**31 - 1, description="Number of the user or key that acted.")
    actor: str | None = Field(None, max_length=200, description="Part of the name or e-mail address of who acted.")
    resource_type: str | None = Field(None, max_length=100, description="Kind of thing that was acted on.")
    resource_id: str | None = Field(None, max_length=200, description="Its handle.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(50, ge=1, le=100, description="Records in a page.")

    def filters(self) -> dict[str, str]:
        """The filters that are set, as query parameters."""
        given = self.model_dump(exclude={"after", "limit"}, exclude_none=True, mode="json")
        return {name: str(value) for name, value in given.items() if value != ""}


class AuditEntry(BaseModel):
    """One record."""

    id: int
    recorded_at: datetime
    action: str
    actor_type: str | None
    actor_id: int | None
    actor_name: str | None
    resource_type: str | None
    resource_id: str | None
    details: dict[str, Any]
    ip_address: str | None
    user_agent: str | None
    redacted: bool = Field(description="Whether it named a person who was erased since.")


class SealedEntry(AuditEntry):
    """One record, and its place in the chain."""

    position: int | None = Field(description="Place in the chain; null while it is not sealed.")
    hash: str | None = Field(description="Its seal, as hex.")


_ENTRY = (
    records.c.id,
    records.c.recorded_at,
    records.c.action,
    records.c.actor_type,
    records.c.actor_id,
    records.c.actor_name,
    records.c.resource_type,
    records.c.resource_id,
    records.c.details,
    func.host(records.c.ip_address).label("ip_address"),
    records.c.user_agent,
    records.c.redacted_at.is_not(None).label("redacted"),
)


async def page(connection: AsyncConnection, tenant_id: int, timezone: str, query: AuditQuery) -> Slice[AuditEntry]:
    """A page of the log, the newest record first."""
    statement = _narrowed(select(*_ENTRY).where(records.c.tenant_id == tenant_id), query, timezone)
    statement = after_cursor(statement, [records.c.id], query.after, limit=query.limit)
    rows = [AuditEntry.model_validate(dict(row)) for row in (await connection.execute(statement)).mappings()]
    return slice_rows(rows, query.limit, lambda row: (row.id,))


async def one(connection: AsyncConnection, tenant_id: int, record_id: int) -> SealedEntry:
    """One record with its seal. Raises NotFound."""
    statement = (
        select(*_ENTRY, seals.c.position, func.encode(seals.c.hash, "hex").label("hash"))
        .select_from(records.outerjoin(seals, seals.c.record_id == records.c.id))
        .where(records.c.tenant_id == tenant_id, records.c.id == record_id)
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NotFound("There is no such record.")
    return SealedEntry.model_validate(dict(row))


async def choices(connection: AsyncConnection, tenant_id: int) -> dict[str, list[str]]:
    """What can be filtered by: the actions and the kinds of resources that occur."""
    found = {}
    for name in ("action", "resource_type"):
        column = records.c[name]
        statement = select(column).distinct().where(records.c.tenant_id == tenant_id, column.is_not(None))
        found[name] = list(await connection.scalars(statement.order_by(column)))
    return found


def _narrowed(statement: Select[Any], query: AuditQuery, timezone: str) -> Select[Any]:
    columns = records.c
    start, end = _bounds(query, timezone)
    if start is not None:
        statement = statement.where(columns.recorded_at >= start)
    if end is not None:
        statement = statement.where(columns.recorded_at < end)
    if query.action:
        condition = columns.action == query.action
        if query.action.endswith("."):
            condition = columns.action.startswith(query.action, autoescape=True)
        statement = statement.where(condition)
    if query.actor_id is not None:
        statement = statement.where(columns.actor_id == query.actor_id)
    if query.actor:
        statement = statement.where(columns.actor_name.icontains(query.actor, autoescape=True))
    for name in ("resource_type", "resource_id"):
        if value := getattr(query, name):
            statement = statement.where(columns[name] == value)
    return statement


def _bounds(query: AuditQuery, timezone: str) -> tuple[datetime | None, datetime | None]:
    zone = ZoneInfo(timezone)
    for bound in (query.start_date, query.end_date):
        if bound is not None and not _EARLIEST <= _day(bound) <= _LATEST:
            raise Problem(422, "invalid_period", "The dates must lie between 2000 and 2200.")
    start, end = _instant(query.start_date, zone), _instant(query.end_date, zone, days=1)
    if start and end and start >= end:
        raise Problem(422, "invalid_period", "The period ends before it begins.")
    return start, end


def _instant(bound: date | datetime | None, zone: ZoneInfo, *, days: int = 0) -> datetime | None:
    if bound is None:
        return None
    if isinstance(bound, datetime):
        return bound if bound.tzinfo else bound.replace(tzinfo=zone)
    return datetime.combine(bound + timedelta(days=days), time(), zone)


def _day(bound: date | datetime) -> date:
    return bound.date() if isinstance(bound, datetime) else bound
