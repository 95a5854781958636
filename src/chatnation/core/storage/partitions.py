"""The monthly partitions of `events`: made before they are needed, dropped when they are too old."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage import copies
from chatnation.core.storage.models.events import events

if TYPE_CHECKING:
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

MONTHS_AHEAD = 2
MONTHS_BACK = 36
"""Events older than this many months, or further ahead, share the partition `events_default`."""

_PARTITION_LOCK = 0x636E_0002
_LOCK_SECONDS = 3
_COLUMNS = ", ".join(f'"{column.name}"' for column in events.columns if column.computed is None)
_GROWING_AT_THE_END = ("pkey", "tenant_id_name_hash_timestamp_idx")
"""Indexes whose full pages hardly ever have to take another entry, so they need not keep room for it."""
_NAME = re.compile(r"events_(\d{4})_(\d{2})")


class Partitions:
    """Makes the months that events fall into.

    `ensure` is cheap when the months are known, as they nearly always are. It fails only when the database is away: an
    event whose month could not be made lands in `events_default`, and moves when the month is made.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._known: set[date] = set()

    async def ensure(self, timestamps: Iterable[datetime]) -> None:
        """Make the months of `timestamps` that are missing, outside of any transaction of the caller."""
        wanted = {date(timestamp.year, timestamp.month, 1) for timestamp in timestamps}
        missing = {month for month in wanted - self._known if self._is_managed(month)}
        if missing:
            await self._make(missing)

    async def ensure_ahead(self) -> None:
        """Make this month and those that come next; for start-up and a daily schedule."""
        this = month_of(self._clock.now())
        await self._make({add_months(this, number) for number in range(MONTHS_AHEAD + 1)})

    def _is_managed(self, month: date) -> bool:
        this = month_of(self._clock.now())
        return add_months(this, -MONTHS_BACK) <= month <= add_months(this, MONTHS_AHEAD)

    async def _make(self, months: set[date]) -> None:
        for month in sorted(months):
            try:
                async with self._storage.system("make a month of events") as connection:
                    await make_month(connection, month)
            except DBAPIError as error:
                # Somebody reads or writes the outliers for long; their rows are safe there, and the month can wait.
                logger.warning("The partition for %s could not be made yet: %s", month.strftime("%Y-%m"), error.orig)
            else:
                self._known.add(month)


def month_of(instant: datetime) -> date:
    """The first day of the instant's month, in UTC."""
    utc = instant.astimezone(UTC)
    return date(utc.year, utc.month, 1)


def add_months(month: date, number: int) -> date:
    """The first day of the month that is `number` months after `month`, or before it."""
    index = month.year * 12 + month.month - 1 + number
    return date(index // 12, index % 12 + 1, 1)


async def make_month(connection: AsyncConnection, month: date) -> bool:
    """Make the partition of `month`, with the outliers that belong to it; False if it is there already.

    Attaching locks the outliers against everybody for a moment. Callers hold no other locks, and give up after a few
    seconds of waiting.
    """
    name = f"events_{month:%Y_%m}"
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _PARTITION_LOCK})
    if await connection.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": f"public.{name}"}):
        return False
    start, end = f"{month:%Y-%m-%d}T00:00:00Z", f"{add_months(month, 1):%Y-%m-%d}T00:00:00Z"
    inside = f"timestamp >= '{start}' AND timestamp < '{end}'"
    await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
    await connection.execute(text(f"CREATE TABLE {name} (LIKE events INCLUDING ALL)"))
    # Tenants read the whole table only, whose policy holds for its parts; a part by itself shows them nothing.
    await connection.execute(text(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
    for index in _GROWING_AT_THE_END:
        await connection.execute(text(f"ALTER INDEX {name}_{index} SET (fillfactor = 100)"))
    await connection.execute(text("LOCK TABLE events_default IN ACCESS EXCLUSIVE MODE"))
    move = (
        f"WITH moved AS (DELETE FROM events_default WHERE {inside} RETURNING {_COLUMNS})"
        f" INSERT INTO {name} ({_COLUMNS}) SELECT * FROM moved"
    )
    attach = f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')"
    await connection.execute(text(move))
    await connection.execute(text(attach))
    return True


async def months(connection: AsyncConnection) -> list[date]:
    """The months that have a partition, oldest first."""
    names = await connection.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'public.events'::regclass"
        )
    )
    matches = (_NAME.fullmatch(name) for name in names)
    return sorted(date(int(match[1]), int(match[2]), 1) for match in matches if match)


async def drop_before(connection: AsyncConnection, cutoff: datetime) -> int:
    """Drop the months that lie wholly before `cutoff`, of every tenant, and delete the outliers before it.

    A month that `cutoff` falls into stays until its last day is old enough. Returns how many months were dropped.
    """
    await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'"))
    dropped = 0
    for month in await months(connection):
        if add_months(month, 1) <= cutoff.astimezone(UTC).date():
            await connection.execute(text(f"DROP TABLE events_{month:%Y_%m}"))
            dropped += 1
    await connection.execute(_DELETE_OUTLIERS, {"cutoff": cutoff})
    # Keys go with the oldest event that can still be there, or a retry of it would count as new.
    kept = datetime.combine(month_of(cutoff), time.min, UTC)
    await copies.drop_before(connection, events.name, kept)
    await connection.execute(text("DELETE FROM event_keys WHERE timestamp < :kept"), {"kept": kept})
    return dropped


_DELETE_OUTLIERS = text(
    """
    WITH gone AS (DELETE FROM events_default WHERE timestamp < :cutoff RETURNING tenant_id, timestamp)
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT DISTINCT tenant_id, 'events', date_bin('15 minutes', timestamp, 'epoch') FROM gone
    """
)
