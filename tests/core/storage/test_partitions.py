from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from sqlalchemy import insert, text

from chatnation.core.storage import partitions
from chatnation.core.storage.models import events
from chatnation.core.storage.partitions import MONTHS_AHEAD, MONTHS_BACK, Partitions, add_months
from chatnation.core.storage.storage import Storage

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


class StandingClock:
    def now(self) -> datetime:
        return NOW


async def store(storage: Storage, *timestamps: datetime) -> None:
    async with storage.tenant(1) as connection:
        for timestamp in timestamps:
            await connection.execute(
                insert(events).values(
                    tenant_id=1,
                    project_id=1,
                    message_id=uuid4(),
                    timestamp=timestamp,
                    received_at=timestamp,
                    event_name="page_view",
                    event_type="page",
                    channel_type="web",
                )
            )


async def places(storage: Storage) -> dict[str, int]:
    """Events by partition."""
    async with storage.system("look where events lie") as connection:
        rows = await connection.execute(text("SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1"))
        return dict(rows.all())


async def months(storage: Storage) -> list[date]:
    async with storage.system("list months") as connection:
        return await partitions.months(connection)


async def test_this_month_and_the_next_are_made_ahead(storage: Storage) -> None:
    await Partitions(storage, StandingClock()).ensure_ahead()
    assert await months(storage) == [date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)]


async def test_an_event_lands_in_its_month_to_the_microsecond(storage: Storage) -> None:
    late, early = datetime(2026, 10, 31, 23, 59, 59, 999999, UTC), datetime(2026, 11, 1, tzinfo=UTC)
    await Partitions(storage, StandingClock()).ensure([late, early])
    await store(storage, late, early)
    assert await places(storage) == {"events_2026_10": 1, "events_2026_11": 1}


async def test_far_away_events_make_no_months_and_land_all_the_same(storage: Storage) -> None:
    outliers = [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)]
    await Partitions(storage, StandingClock()).ensure(outliers)
    await store(storage, *outliers)
    assert await places(storage) == {"events_default": 2}
    assert await months(storage) == []


async def test_outliers_move_when_their_month_is_made(storage: Storage) -> None:
    inside, outside = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    await store(storage, inside, outside)
    await Partitions(storage, StandingClock()).ensure([inside])
    assert await places(storage) == {"events_2026_11": 1, "events_default": 1}


async def test_many_processes_may_make_the_same_month_while_events_are_stored(storage: Storage) -> None:
    async def process() -> None:
        await Partitions(storage, StandingClock()).ensure([NOW])
        await store(storage, NOW)

    await asyncio.gather(*(process() for _ in range(8)))
    assert sum((await places(storage)).values()) == 8
    assert await months(storage) == [date(2026, 11, 1)]


async def test_a_month_that_cannot_be_made_now_does_not_stop_the_caller(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_LOCK_SECONDS", 0.2)
    partitioning = Partitions(storage, StandingClock())
    async with storage.system("a long look at the outliers") as reader:
        await reader.execute(text("SELECT count(*) FROM events_default"))
        await partitioning.ensure([NOW])
        await store(storage, NOW)
        assert await months(storage) == []
    await partitioning.ensure([NOW])
    assert await places(storage) == {"events_2026_11": 1}


async def test_retention_drops_months_that_are_wholly_too_old_and_outliers(storage: Storage) -> None:
    times = [datetime(1999, 5, 5, tzinfo=UTC), *(datetime(2026, month, 20, tzinfo=UTC) for month in (8, 9, 10, 11))]
    await Partitions(storage, StandingClock()).ensure(times)
    await store(storage, *times)
    async with storage.system("retention") as connection:
        assert await partitions.drop_before(connection, datetime(2026, 10, 10, tzinfo=UTC)) == 2
    assert await places(storage) == {"events_2026_10": 1, "events_2026_11": 1}


async def test_new_months_have_every_index_of_the_table(storage: Storage) -> None:
    await Partitions(storage, StandingClock()).ensure([NOW])
    async with storage.system("count indexes") as connection:
        rows = await connection.execute(
            text("SELECT tablename, count(*) FROM pg_indexes WHERE tablename LIKE 'events%' GROUP BY 1 ORDER BY 1")
        )
        counts = dict(rows.all())
    assert counts["events_2026_11"] == counts["events_default"] == counts["events"] == 4


@pytest.mark.parametrize(
    ("month", "number", "expected"),
    [
        (date(2026, 11, 1), 1, date(2026, 12, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 11, 1), -MONTHS_BACK, date(2023, 11, 1)),
        (date(2026, 11, 1), MONTHS_AHEAD, date(2027, 1, 1)),
    ],
)
def test_months_are_counted_across_years(month: date, number: int, expected: date) -> None:
    assert add_months(month, number) == expected
