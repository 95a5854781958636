"""Every trend equals a recount by plain Python, in two time zones, across a change of the clocks."""

from __future__ import annotations

from datetime import date
from random import Random
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatnation.testing.apps import MakeApp
from tests.plugins.trends.conftest import NOW, Office, open_office
from tests.plugins.trends.oracle import Recount, random_history

RANGES: list[tuple[dict[str, Any], str]] = [
    ({"granularity": "day"}, "30 days"),
    ({"granularity": "week", "periods": 5}, "5 weeks"),
    ({"granularity": "month", "periods": 2}, "2 months"),
    ({"granularity": "week", "start_date": "2025-03-12", "end_date": "2025-03-31"}, "given"),
    ({"start_date": "2025-03-29", "end_date": "2025-03-31"}, "given"),
    ({"period": "7d"}, "7 days"),
]


def days_of(asked: dict[str, Any], what: str, zone: ZoneInfo) -> tuple[date, date]:
    """The days that parameters ask for, worked out by hand."""
    today = NOW.astimezone(zone).date()
    assert today == date(2025, 4, 2)
    if what == "given":
        return date.fromisoformat(asked["start_date"]), date.fromisoformat(asked["end_date"])
    firsts = {
        "30 days": date(2025, 3, 4),
        "7 days": date(2025, 3, 27),
        "5 weeks": date(2025, 3, 3),
        "2 months": date(2025, 3, 1),
    }
    return firsts[what], today


def change(now: float, before: float) -> float:
    return round(100 * (now - before) / before, 1) if before else 0.0


async def check_sessions(office: Office, recount: Recount, asked: dict[str, Any]) -> None:
    width = asked.get("granularity", "day")
    answer = await office.trend("sessions", **asked)
    visits, before = recount.visits(), recount.before().visits()
    expected = [
        (
            begin.isoformat(),
            sum(inside(visit.began) and visit.journey for visit in visits),
            sum(inside(visit.began) for visit in visits),
        )
        for begin, inside in recount.periods(width)
    ]
    assert [(point["period"], point["count"], point["sessions"]) for point in answer["data"]] == expected
    journeys, journeys_before = (sum(visit.journey for visit in some) for some in (visits, before))
    assert answer["summary"] == {
        "total": journeys,
        "previous_total": journeys_before,
        "percent_change": change(journeys, journeys_before),
        "total_sessions": len(visits),
        "previous_total_sessions": len(before),
        "sessions_percent_change": change(len(visits), len(before)),
    }
    assert (answer["granularity"], answer["start_date"], answer["end_date"]) == (
        width,
        recount.first.isoformat(),
        recount.last.isoformat(),
    )


async def check_conversions(office: Office, recount: Recount, asked: dict[str, Any]) -> None:
    answer = await office.trend("conversions", **asked)
    visits, before = recount.visits(), recount.before().visits()
    expected = []
    for begin, inside in recount.periods(asked.get("granularity", "day")):
        some = [visit.converted for visit in visits if inside(visit.began)]
        expected.append((begin.isoformat(), len(some), sum(some), sum(some) / len(some) if some else 0))
    found = [tuple(point[name] for name in CONVERSION_FIELDS) for point in answer["data"]]
    assert found == expected
    converted, converted_before = (sum(visit.converted for visit in some) for some in (visits, before))
    assert answer["summary"] == {
        "total_sessions": len(visits),
        "total_conversions": converted,
        "overall_conversion_rate": round(100 * converted / len(visits), 1),
        "previous_conversion_rate": round(100 * converted_before / len(before), 1) if before else 0,
    }


CONVERSION_FIELDS = ("period", "total_sessions", "conversions", "conversion_rate")


async def check_growth(office: Office, recount: Recount, asked: dict[str, Any], *, known: bool) -> None:
    answer = await office.trend("user-growth", **asked, identified=known)
    visits = [visit for visit in recount.visits() if visit.known or not known]
    before = [visit for visit in recount.before().visits() if visit.known or not known]
    firsts = recount.newcomers(known=known)
    expected = []
    for begin, inside in recount.periods(asked.get("granularity", "day")):
        people = {visit.person for visit in visits if inside(visit.began)}
        new = {person for person in people if inside(firsts[person]) and recount.first <= recount.day(firsts[person])}
        expected.append((begin.isoformat(), len(people), len(new), len(people - new)))
    found = [
        tuple(point[name] for name in ("period", "total_users", "new_users", "returning_users"))
        for point in answer["data"]
    ]
    assert found == expected
    people, people_before = ({visit.person for visit in some} for some in (visits, before))
    new = {person for person in people if recount.first <= recount.day(firsts[person]) <= recount.last}
    assert answer["summary"] == {
        "total_new_users": len(new),
        "total_returning_users": len(people - new),
        "total_users": len(people),
        "new_user_percent": round(100 * len(new) / len(people), 1),
        "previous_total_users": len(people_before),
        "percent_change": change(len(people), len(people_before)),
    }


async def check_durations(office: Office, recount: Recount, asked: dict[str, Any]) -> None:
    answer = await office.trend("session-duration", **asked)
    visits, before = ([visit for visit in some.visits() if visit.seconds > 0] for some in (recount, recount.before()))
    periods = recount.periods(asked.get("granularity", "day"))
    assert [point["period"] for point in answer["data"]] == [begin.isoformat() for begin, _ in periods]
    for point, (_, inside) in zip(answer["data"], periods, strict=True):
        seconds = [visit.seconds for visit in visits if inside(visit.began)]
        assert point["session_count"] == len(seconds)
        assert point["avg_duration_seconds"] == (pytest.approx(mean(seconds)) if seconds else None)
        assert point["median_duration_seconds"] == (pytest.approx(median(seconds)) if seconds else None)
    lengths, lengths_before = ([visit.seconds for visit in some] for some in (visits, before))
    assert answer["summary"] == {
        "overall_avg_duration_seconds": pytest.approx(mean(lengths)),
        "overall_median_duration_seconds": pytest.approx(median(lengths)),
        "total_sessions_analyzed": len(visits),
        "previous_avg_duration_seconds": pytest.approx(mean(lengths_before)) if before else None,
    }


async def check_active(office: Office, recount: Recount, asked: dict[str, Any]) -> None:
    asked = {name: value for name, value in asked.items() if name not in ("granularity", "periods")}
    asked.setdefault("start_date", recount.first.isoformat())
    asked.setdefault("end_date", recount.last.isoformat())
    answer = await office.trend("daily-active-users", **asked)

    def by_day(some: Recount) -> list[tuple[str, int]]:
        return [
            (begin.isoformat(), len({event.person for event in some.active() if inside(event.at)}))
            for begin, inside in some.periods("day")
        ]

    expected = by_day(recount)
    assert [(point["date"], point["count"]) for point in answer["data"]] == expected
    counts, counts_before = [count for _, count in expected], [count for _, count in by_day(recount.before())]
    summary = answer["summary"]
    assert summary["avg_daily_active_users"] == pytest.approx(mean(counts))
    assert summary["previous_avg_daily_active_users"] == pytest.approx(mean(counts_before))
    assert summary["percent_change"] == pytest.approx(change(mean(counts), mean(counts_before)), abs=0.11)
    assert summary["peak_dau"] == max(counts)
    assert dict(expected)[summary["peak_date"]] == max(counts)
    assert summary["total_data_points"] == len(counts)
    assert summary["total_users"] == len({event.person for event in recount.active()})
    overview = await office.client.get("/api/overview/daily-users", params=asked)
    assert [(day["date"], day["count"]) for day in overview.json()["data"]] == expected


@pytest.mark.parametrize("timezone", ["Africa/Nairobi", "Europe/Berlin"])
async def test_every_trend_equals_a_recount(make_app: MakeApp, timezone: str) -> None:
    random, zone = Random(timezone), ZoneInfo(timezone)
    office = await open_office(make_app, timezone)
    events = random_history(random, NOW, 75, 260)
    await office.send(events, random)
    for place, (asked, what) in enumerate(RANGES):
        recount = Recount(events, *days_of(asked, what, zone), zone)
        await check_sessions(office, recount, asked)
        await check_conversions(office, recount, asked)
        await check_growth(office, recount, asked, known=False)
        await check_growth(office, recount, asked, known=True)
        await check_durations(office, recount, asked)
        await check_active(office, recount, asked)
        if place == 1:
            await office.build_columns()


async def test_a_filter_narrows_to_one_channel(make_app: MakeApp) -> None:
    random, zone = Random(3), ZoneInfo("Africa/Nairobi")
    office = await open_office(make_app)
    events = random_history(random, NOW, 40, 60)
    await office.send(events)
    asked: dict[str, Any] = {"start_date": "2025-03-01", "end_date": "2025-04-02", "channel": "whatsapp"}
    some = [event for event in events if event.channel == "whatsapp"]
    recount = Recount(some, date(2025, 3, 1), date(2025, 4, 2), zone)
    await check_sessions(office, recount, asked)
    await check_growth(office, recount, asked, known=False)
    await check_active(office, recount, asked)


async def test_without_events_every_period_is_there_and_zero(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    for name in ("sessions", "conversions", "user-growth", "session-duration", "daily-active-users"):
        answer = await office.trend(name, periods=3)
        days = [point.get("period", point.get("date")) for point in answer["data"]]
        assert days == ["2025-03-31", "2025-04-01", "2025-04-02"]
        assert [point["complete"] for point in answer["data"]] == [True, True, False]
        assert not any(answer["summary"].values()) or answer["summary"]["total_data_points"] == 3


async def test_another_tenant_does_not_count(make_app: MakeApp) -> None:
    office = await open_office(make_app)
    await office.send(random_history(Random(1), NOW, 10, 10))
    other = await office.app.source("Another")
    stranger = await office.app.client(await office.app.person(other.tenant))
    answer = await stranger.get("/api/trends/sessions")
    assert answer.json()["summary"]["total_sessions"] == 0
    assert (await office.trend("sessions"))["summary"]["total_sessions"] > 0


@pytest.mark.parametrize(
    "query",
    [
        "granularity=hour",
        "granularity=day%27)%20--",
        "periods=0",
        "periods=many",
        "granularity=month&periods=1000",
        "granularity=month&periods=100",
        "start_date=2025-04-02&end_date=2025-03-01",
        "start_date=soon",
        "device=",
    ],
)
async def test_what_makes_no_sense_is_refused(make_app: MakeApp, query: str) -> None:
    office = await open_office(make_app)
    for name in ("sessions", "user-growth"):
        answer = await office.client.get(f"/api/trends/{name}?{query}")
        assert answer.status_code == 422, answer.text
