from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import text

from chatnation.core.storage import partitions
from chatnation.core.storage.compaction import compact_months
from chatnation.core.storage.partitions import Partitions
from chatnation.core.storage.storage import Storage
from chatnation.testing.clock import FakeClock

pytestmark = pytest.mark.anyio

EARLY_NOVEMBER = datetime(2026, 11, 2, 9, tzinfo=UTC)


async def fill(storage: Storage) -> None:
    """Events of October, a minute apart, whose names take turns."""
    async with storage.tenant(1) as connection:
        for start in range(0, 3000, 100):
            await connection.execute(
                text(
                    "INSERT INTO events (tenant_id, project_id, message_id, timestamp, received_at, event_name,"
                    " event_type, channel_type)"
                    " SELECT 1, 1, gen_random_uuid(), at, at, 'event_' || n % 7, 'track', 'web'"
                    " FROM generate_series(CAST(:start AS int), :start + 99) AS n,"
                    " LATERAL (SELECT CAST(:month AS timestamptz) + n * interval '1 minute') AS t (at)"
                ),
                {"start": start, "month": datetime(2026, 10, 1, tzinfo=UTC)},
            )


async def index_bytes(storage: Storage, month: str) -> int:
    async with storage.system("weigh") as connection:
        size = await connection.scalar(text(f"SELECT pg_indexes_size('events_{month}')"))
    assert size is not None
    return size


async def test_a_month_is_rebuilt_once_it_is_over_for_some_days(storage: Storage) -> None:
    clock = FakeClock(EARLY_NOVEMBER)
    await Partitions(storage, clock).ensure([datetime(2026, 10, 5, tzinfo=UTC), EARLY_NOVEMBER])
    await fill(storage)
    before = await index_bytes(storage, "2026_10")
    assert await compact_months(storage, clock) == []
    clock.set(datetime(2026, 11, 4, 1, tzinfo=UTC))
    assert await compact_months(storage, clock) == [date(2026, 10, 1)]
    assert await index_bytes(storage, "2026_10") < before
    assert await compact_months(storage, clock) == []


async def test_a_rebuild_that_was_interrupted_is_finished(storage: Storage) -> None:
    clock = FakeClock(datetime(2026, 11, 20, tzinfo=UTC))
    async with storage.system("make a month") as connection:
        await partitions.make_month(connection, date(2026, 10, 1))
    await fill(storage)
    async with storage.engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
        duplicate = str(uuid4())
        for minute in (1, 2):
            await connection.execute(
                text(
                    "INSERT INTO events (tenant_id, project_id, message_id, timestamp, received_at, event_name,"
                    f" event_type, channel_type) VALUES (1, 1, '{duplicate}', '2026-10-05T00:0{minute}Z', now(), 'x',"
                    " 'track', 'web')"
                )
            )
        # A unique index that cannot be built stays behind as invalid, as one does whose build was killed.
        with pytest.raises(Exception, match="could not create unique index"):
            await connection.execute(
                text("CREATE UNIQUE INDEX CONCURRENTLY events_2026_10_ccnew ON events_2026_10 (message_id)")
            )
    assert await compact_months(storage, clock) == [date(2026, 10, 1)]
    async with storage.system("look") as connection:
        left = await connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))
        kept = await connection.scalar(text("SELECT count(*) FROM pg_indexes WHERE tablename = 'events_2026_10'"))
    assert (left, kept) == (0, 4)
