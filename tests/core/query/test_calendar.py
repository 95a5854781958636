"""Buckets of local time, over changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.query.evaluate.calendar import bucket_of, buckets, date_of, local_days, local_hours, period_of
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Range

NOW = datetime(2025, 6, 1, tzinfo=UTC)
ZONES = (
    "Africa/Nairobi",
    "Europe/Berlin",
    "Africa/Cairo",  # the clocks change at midnight
    "America/Havana",  # midnight comes twice
    "Asia/Kolkata",  # half an hour off
    "Asia/Kathmandu",  # three quarters
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Apia",  # left out a day in 2011
)
INSTANTS = st.datetimes(datetime(2011, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
LENGTHS = st.timedeltas(timedelta(seconds=1), timedelta(days=40))
GRANULARITIES: Any = ("hour", "day", "week", "month")


def name(instant: datetime, granularity: str, zone: str) -> Any:
    """A name for the local hour, day, week or month."""
    local = instant.astimezone(ZoneInfo(zone))
    match granularity:
        case "hour":
            return local.date(), local.hour, local.utcoffset()
        case "day":
            return local.date()
        case "week":
            return local.date() - timedelta(days=local.weekday())
    return local.year, local.month


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("zone", ZONES)
@given(start=INSTANTS, length=LENGTHS)
def test_buckets_hold_the_range_without_a_gap_and_change_where_the_clock_does(
    zone: str, granularity: Any, start: datetime, length: timedelta
) -> None:
    stretch = Range(start, start + length, zone)
    found = buckets(stretch, granularity, NOW)
    edges = [bucket.start.astimezone(UTC) for bucket in found] + [found[-1].end.astimezone(UTC)]
    assert edges[0] <= start
    assert edges[-2] < start + length <= edges[-1]
    tick = timedelta(microseconds=1)
    for edge, following in pairwise(edges):
        assert edge < following
        assert name(edge, granularity, zone) == name(following - tick, granularity, zone)
        assert name(following - tick, granularity, zone) != name(following, granularity, zone)
    assert name(edges[0] - tick, granularity, zone) != name(edges[0], granularity, zone)
    assert len({bucket.label for bucket in found}) == len(found)


@pytest.mark.parametrize("zone", ZONES)
@given(instants=st.lists(INSTANTS, max_size=5))
def test_local_days_and_hours_are_those_that_the_clock_shows(zone: str, instants: list[datetime]) -> None:
    times = np.array([micros(instant) for instant in instants], np.int64)
    local = [instant.astimezone(ZoneInfo(zone)) for instant in instants]
    days = local_days(times, ZoneInfo(zone))
    assert [date_of(day) for day in days.tolist()] == [instant.date() for instant in local]
    assert local_hours(times, ZoneInfo(zone)).tolist() == [instant.hour for instant in local]


@given(st.dates(date(1960, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_periods_are_numbered_without_a_gap(first: date, count: int) -> None:
    days = [first + timedelta(days=number) for number in range(count + 1)]
    numbers = np.array([(day - date(1970, 1, 1)).days for day in days], np.int32)
    names: dict[Any, Any] = {
        "day": lambda day: day,
        "week": lambda day: day - timedelta(days=day.weekday()),
        "month": lambda day: (day.year, day.month),
    }
    for granularity in ("day", "week", "month"):
        periods = period_of(numbers, granularity).tolist()
        for (day, period), (next_day, next_period) in pairwise(zip(days, periods, strict=True)):
            same = names[granularity](day) == names[granularity](next_day)
            assert next_period - period == (0 if same else 1)


def test_an_instant_on_an_edge_is_in_the_bucket_that_begins_there() -> None:
    zone = ZoneInfo("Europe/Berlin")
    stretch = Range(datetime(2025, 3, 29, tzinfo=zone), datetime(2025, 4, 1, tzinfo=zone), zone.key)
    found = buckets(stretch, "day", datetime(2025, 3, 30, 22, tzinfo=UTC))
    edges = np.array([micros(bucket.start) for bucket in found], np.int64)
    assert bucket_of(edges, found).tolist() == [0, 1, 2]
    assert bucket_of(edges[1:] - 1, found).tolist() == [0, 1]
    assert [bucket.complete for bucket in found] == [True, True, False]
    assert [(bucket.end.astimezone(UTC) - bucket.start.astimezone(UTC)).total_seconds() / 3600 for bucket in found] == [
        24,
        23,
        24,
    ]


@pytest.mark.parametrize(
    ("first", "last", "before"),
    [
        (date(2025, 3, 30), date(2025, 3, 31), date(2025, 3, 29)),
        (date(2025, 10, 27), date(2025, 10, 29), date(2025, 10, 25)),
        (date(2025, 3, 1), date(2025, 4, 1), date(2025, 1, 29)),
    ],
)
def test_the_range_before_has_as_many_local_days(first: date, last: date, before: date) -> None:
    zone = ZoneInfo("Europe/Berlin")
    stretch = Range(datetime.combine(first, time(), zone), datetime.combine(last, time(), zone), zone.key)
    previous = stretch.previous()
    assert previous.start == datetime.combine(before, time(), zone)
    assert previous.end == stretch.start


def test_the_range_before_one_of_hours_is_as_long_in_time() -> None:
    end = datetime(2025, 3, 30, 6, tzinfo=UTC)
    stretch = Range(end - timedelta(hours=7), end, "Europe/Berlin")
    previous = stretch.previous()
    assert previous.start.astimezone(UTC) == end - timedelta(hours=14)
