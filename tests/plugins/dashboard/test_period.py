"""Periods: whole days of the tenant, their links, and the period before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatnation import Problem
from chatnation.plugins.dashboard.api import Period, PeriodQuery

ZONES = st.sampled_from(["Africa/Nairobi", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"])
DAYS = st.dates(date(2001, 1, 1), date(2050, 1, 1))
INSTANTS = st.integers(10**9, 25 * 10**8).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(ZONES, INSTANTS)
def test_a_preset_is_so_many_local_days_up_to_today(zone: str, now: datetime) -> None:
    for preset, length in (("today", 1), ("7d", 7), ("30d", 30), ("90d", 90)):
        period = PeriodQuery.model_validate({"period": preset}).resolve(zone, now)
        assert len(period.days) == length
        assert period.days[-1] == now.astimezone(ZoneInfo(zone)).date()
        assert period.start <= now < period.end


@given(ZONES, DAYS, st.integers(0, 400))
def test_the_period_before_has_as_many_days_and_touches_it(zone: str, first: date, length: int) -> None:
    period = _days(zone, first, first + timedelta(days=length))
    before = period.previous()
    assert before.end == period.start
    assert len(before.days) == len(period.days) == length + 1


@given(ZONES, DAYS, st.integers(0, 400))
def test_a_link_leads_to_the_same_period(zone: str, first: date, length: int) -> None:
    period = _days(zone, first, first + timedelta(days=length))
    given_back = dict(parse_qsl(urlsplit(period.link("/x", device="mobile")).query))
    assert given_back.pop("device") == "mobile"
    again = PeriodQuery.model_validate(given_back).resolve(zone, datetime(2025, 1, 1, tzinfo=UTC))
    assert (again.start, again.end) == (period.start, period.end)


def test_a_day_on_which_the_clocks_change_has_its_own_length() -> None:
    short = _days("Europe/Berlin", date(2025, 3, 30), date(2025, 3, 30))
    long = _days("Europe/Berlin", date(2025, 10, 26), date(2025, 10, 26))
    assert short.end.timestamp() - short.start.timestamp() == 23 * 3600
    assert long.end.timestamp() - long.start.timestamp() == 25 * 3600


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2025-02-02", "end_date": "2025-02-01"},
        {"start_date": "1900-01-01"},
        {"end_date": "2999-01-01"},
        {"start_date": "2001-01-01", "end_date": "2020-01-01"},
    ],
)
def test_a_period_that_makes_no_sense_is_a_422(query: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        PeriodQuery.model_validate(query).resolve("Africa/Nairobi", datetime(2025, 1, 1, tzinfo=UTC))
    assert caught.value.status == 422


def _days(zone: str, first: date, last: date) -> Period:
    query = PeriodQuery(start_date=first, end_date=last)
    return query.resolve(zone, datetime(2025, 1, 1, tzinfo=UTC))
