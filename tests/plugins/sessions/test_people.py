"""Counts of different people follow erasures, time zones and tenants."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from sqlalchemy import text

from chatnation.core.auth.tenancy import change_tenant
from chatnation.core.storage.erasure import Eraser
from chatnation.plugins.sessions.people import CAUGHT_UP_BY_READERS, people_by_day
from chatnation.testing.apps import MakeApp
from tests.plugins.overview.conftest import NOW, Office, count_people, open_office
from tests.plugins.overview.oracle import random_visits

FIRST, LAST = date(2025, 6, 1), date(2025, 6, 30)


async def people(office: Office, zone: str = "Africa/Nairobi") -> tuple[int, dict[date, int]] | None:
    """Different persons of June 2025, and those of each day."""
    async with office.app.app.storage.tenant(office.tenant_id) as connection:
        days = await people_by_day(connection, office.tenant_id, FIRST, LAST, zone)
    return None if days is None else (sum(day.new for day in days), {day.day: day.persons for day in days})


async def rows(office: Office, table: str) -> int:
    async with office.app.app.storage.system("count rows in a test") as connection:
        return (await connection.scalar(text(f"SELECT count(*) FROM sessions.{table}"))) or 0


async def test_people_are_not_told_before_they_are_kept(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.store(random_visits(Random(1), NOW, 10, 50))
    assert await people(office) is None
    await count_people(office.app)
    assert await people(office) is not None
    assert await rows(office, "person_news") == 0


async def test_days_are_counted_anew_when_the_time_zone_changes(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    visits = [visit for visit in random_visits(Random(2), NOW, 10, 300) if not visit.is_bot]
    await office.store(visits)
    await count_people(office.app)
    async with office.app.app.storage.system("set the time zone of a test") as connection:
        await change_tenant(connection, office.tenant_id, timezone="Pacific/Auckland")
    assert await people(office, "Pacific/Auckland") is None
    await count_people(office.app)
    found = await people(office, "Pacific/Auckland")
    assert found is not None
    offset = timedelta(hours=12)
    days = {(visit.started_at + offset).date() for visit in visits}
    expected = {day: len({v.leaf for v in visits if (v.started_at + offset).date() == day}) for day in days}
    assert found == (len({visit.leaf for visit in visits}), expected)


async def test_a_reader_does_not_catch_up_with_very_many_news(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await count_people(office.app)
    async with office.app.app.storage.tenant(office.tenant_id) as connection:
        await connection.execute(
            text(
                "INSERT INTO sessions.person_news (tenant_id, leaf_id)"
                " SELECT :tenant, gen_random_uuid() FROM generate_series(0, :most)"
            ),
            {"tenant": office.tenant_id, "most": CAUGHT_UP_BY_READERS},
        )
    assert await people(office) is None
    await count_people(office.app)
    assert await people(office) == (0, {})


async def test_another_event_of_a_session_is_no_news(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.store(random_visits(Random(3), NOW, 10, 20))
    await count_people(office.app)
    async with office.app.app.storage.tenant(office.tenant_id) as connection:
        await connection.execute(
            text("UPDATE sessions.sessions SET ended_at = ended_at + interval '1 s', event_count = event_count + 1")
        )
    assert await rows(office, "person_news") == 0


async def test_an_erased_tenant_leaves_nothing(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.store(random_visits(Random(4), NOW, 10, 50))
    await count_people(office.app)
    app = office.app.app
    await Eraser(app.storage, app.hooks, app.inventory).erase_tenant(office.source.tenant, by="a test")
    for table in ("people_kept", "person_days", "person_news", "day_people"):
        assert await rows(office, table) == 0, table
