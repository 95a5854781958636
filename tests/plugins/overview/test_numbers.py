"""Every number equals a recount by plain Python, in two time zones, across a change of the clocks."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from chatnation.plugins.sessions.api import sessions
from chatnation.testing.apps import MakeApp
from tests.plugins.overview.conftest import Office, build_columns, open_office
from tests.plugins.overview.oracle import Recount, random_merges, random_visits, utc
from tests.plugins.recounting import bounds

# The clocks of Berlin went forward on 30 March 2025 and back on 26 October 2025.
PLACES = [
    ("Africa/Nairobi", utc(2025, 6, 15, 9, 30)),
    ("Europe/Berlin", utc(2025, 4, 2, 9, 30)),
    ("Europe/Berlin", utc(2025, 10, 28, 22, 30)),
    ("Asia/Kathmandu", utc(2025, 6, 15, 18, 20)),
]
PERIODS: list[dict[str, str]] = [
    {"period": "today"},
    {"period": "7d"},
    {},
    {"period": "90d"},
    {"start_date": "2025-01-01", "end_date": "2025-12-31"},
    {"start_date": "2025-03-29", "end_date": "2025-03-31"},
    {"start_date": "2025-10-20", "end_date": "2025-10-27"},
    {"start_date": "2025-06-10T08:20:00", "end_date": "2025-06-12T17:45:30"},
    {"start_date": "2025-10-25T22:10:00Z", "end_date": "2025-10-26T03:00:00Z"},
]


def before(start: datetime, end: datetime, zone: ZoneInfo) -> datetime:
    """Where the equally long period before `start` begins: as many days, or as many seconds."""
    if start.astimezone(zone).time() == end.astimezone(zone).time() == time():
        length = (end.astimezone(zone).date() - start.astimezone(zone).date()).days
        return datetime.combine(start.astimezone(zone).date() - timedelta(days=length), time(), zone)
    return datetime.fromtimestamp(2 * start.timestamp() - end.timestamp(), zone)


async def compare(office: Office, recount: Recount, previous: Recount, period: dict[str, str]) -> None:
    answer = await office.get("", **period)
    figures, figures_before = recount.figures(), previous.figures()
    assert {name: answer[name] for name in figures} == pytest.approx(figures)
    assert answer["previous"] == pytest.approx(figures_before)
    changes = {name: round(100 * (figures[name] - old) / old, 1) if old else 0 for name, old in figures_before.items()}
    assert answer["change"] == pytest.approx(changes, abs=0.1)
    expected_days = recount.days()
    assert [(day["date"], day["count"]) for day in answer["daily_sessions"]] == [day[:2] for day in expected_days]
    assert len(answer["heatmap"]) == 7 * 24
    cells = Counter({(cell["day"], cell["hour"]): cell["count"] for cell in answer["heatmap"]})
    assert +cells == recount.heatmap()
    for path, label, attribute in (
        ("/devices", "device_type", "device_type"),
        ("/browsers", "browser_name", "browser_name"),
        ("/countries", "country_code", "country_code"),
    ):
        data = (await office.get(path, **period))["data"]
        assert {entry[label]: entry["count"] for entry in data} == recount.by(attribute)
        assert [entry["count"] for entry in data] == sorted((entry["count"] for entry in data), reverse=True)
    identity = await office.get("/user-identity", **period)
    assert (identity["total"], identity["identified"]) == (figures["total_users"], figures["identified_users"])


@pytest.mark.parametrize(("timezone", "now"), PLACES)
async def test_the_overview_equals_a_recount(make_app: MakeApp, timezone: str, now: datetime) -> None:
    random = Random(f"{timezone} {now}")
    zone = ZoneInfo(timezone)
    office = await open_office(make_app, timezone, now)
    around = datetime(now.year, 6, 12, tzinfo=zone) if now.month == 6 else now
    visits = random_visits(random, around, 70, 900)
    visits += random_visits(random, utc(2025, 3, 30, 1), 3, 150) + random_visits(random, utc(2025, 10, 26, 1), 3, 150)
    merges = random_merges(random, visits)
    await office.store(visits)
    await office.merge(merges)
    for period in PERIODS:
        start, end = bounds(period, zone, now)
        recount = Recount(visits, merges, start, end, zone)
        previous = Recount(visits, merges, before(start, end, zone), start, zone)
        await compare(office, recount, previous, period)


async def test_the_overview_follows_every_change_of_the_sessions(make_app: MakeApp) -> None:
    random = Random(4)
    now = utc(2025, 6, 15, 9, 30)
    zone = ZoneInfo("Africa/Nairobi")
    office = await open_office(make_app, zone.key, now)
    visits = {visit.session_id: visit for visit in random_visits(random, now, 20, 60)}
    await office.store(visits.values())
    merges: dict[Any, Any] = {}
    table = sessions.c
    for step in range(12):
        chosen = random.sample(sorted(visits), 8)
        async with office.app.app.storage.tenant(office.tenant_id) as connection:
            for session_id in chosen[:3]:
                del visits[session_id]
                await connection.execute(
                    delete(sessions).where(table.tenant_id == office.tenant_id, table.session_id == session_id)
                )
            for session_id in chosen[3:6]:
                new = random_visits(random, now, 20, 1)[0]
                old = visits[session_id]
                visits[session_id] = replace(
                    old,
                    started_at=new.started_at,
                    ended_at=new.ended_at,
                    is_bot=new.is_bot,
                    device_type=new.device_type,
                    page_count=new.page_count,
                    leaf=new.leaf if step % 2 else old.leaf,
                    user_id=new.user_id,
                )
                changed = {
                    "started_at": new.started_at,
                    "ended_at": new.ended_at,
                    "is_bot": new.is_bot,
                    "device_type": new.device_type,
                    "page_count": new.page_count,
                    "person_id": visits[session_id].leaf,
                    "user_id": new.user_id,
                }
                await connection.execute(
                    update(sessions)
                    .where(table.tenant_id == office.tenant_id, table.session_id == session_id)
                    .values(changed)
                )
        added = random_visits(random, now, 20, 4)
        await office.store(added)
        visits |= {visit.session_id: visit for visit in added}
        if step % 4 == 1:
            pair = {visits[chosen[6]].leaf: visits[chosen[7]].leaf}
            if pair.keys().isdisjoint(merges) and set(pair) != set(pair.values()):
                await office.merge(pair)
                merges |= pair
        if step % 3 == 2:
            await build_columns(office.app)
        start, end = bounds({}, zone, now)
        recount = Recount(list(visits.values()), merges, start, end, zone)
        previous = Recount(list(visits.values()), merges, before(start, end, zone), start, zone)
        await compare(office, recount, previous, {})


async def test_without_sessions_every_number_is_zero_and_every_day_is_there(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    answer = await office.get("", period="7d")
    assert answer["total_sessions"] == answer["total_users"] == answer["avg_session_duration"] == 0
    assert answer["change"]["total_sessions"] == 0
    assert [day["count"] for day in answer["daily_sessions"]] == [0] * 7
    assert answer["daily_sessions"][-1]["date"] == "2025-06-15"


async def test_another_tenant_does_not_count(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    visits = random_visits(Random(1), office.clock.now(), 5, 20)
    await office.store(visits)
    other = await office.app.source("Another")
    stranger = await office.app.client(await office.app.person(other.tenant))
    assert (await stranger.get("/api/overview")).json()["total_sessions"] == 0
    assert (await stranger.get("/api/sessions")).json()["items"] == []
