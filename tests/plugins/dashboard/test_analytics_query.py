"""What stands in the address of an analytics page: read, written again, changed, and turned into conditions."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from starlette.datastructures import QueryParams

from chatnation import Problem
from chatnation.plugins.dashboard.api import AnalyticsQuery, address, changed
from chatnation.query import AnyOf, Filter

NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)
TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20), max_size=3)


class PageQuery(AnalyticsQuery):
    """A page's own parameters besides."""

    step: list[str] = Field([], max_length=20)
    strict: bool = False
    window: int = 7


PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "period": st.sampled_from(["today", "7d", "30d", "90d"]),
        "start_date": st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(date.isoformat),
        "end_date": st.dates(date(2025, 1, 1), date(2025, 12, 31)).map(date.isoformat),
        "granularity": st.sampled_from(["hour", "day", "week", "month"]),
        "compare": st.sampled_from(["true", "false"]),
        "device": TEXTS,
        "country": TEXTS,
        "channel": TEXTS,
        "journey": TEXTS,
        "step": TEXTS,
        "strict": st.sampled_from(["true", "false"]),
        "window": st.integers(1, 90).map(str),
    },
)


def read(parameters: dict[str, Any]) -> PageQuery:
    return PageQuery.of(QueryParams(urlencode(parameters, doseq=True)))


@given(PARAMETERS)
def test_an_address_that_was_read_and_written_again_says_the_same(parameters: dict[str, Any]) -> None:
    query = read(parameters)
    again = PageQuery.of(QueryParams(address("/page", query.parameters()).partition("?")[2]))
    assert again.resolve("Africa/Nairobi", NOW) == query.resolve("Africa/Nairobi", NOW)
    assert again.model_dump(exclude={"period"}) == query.model_dump(exclude={"period"})


@given(PARAMETERS)
def test_every_analytics_page_reads_what_it_shares_with_others_and_nothing_else(parameters: dict[str, Any]) -> None:
    query = read(parameters)
    shared = urlencode(query.shared_parameters())
    other = AnalyticsQuery.of(QueryParams(shared))
    assert other.chosen() == query.chosen()
    assert not {"step", "strict", "window"} & {name for name, _ in parse_qsl(shared)}


@given(PARAMETERS, TEXTS)
def test_a_change_sets_one_parameter_and_keeps_the_rest(parameters: dict[str, Any], countries: list[str]) -> None:
    pairs = read(parameters).parameters()
    after = changed(pairs, {"country": countries, "strict": None})
    assert [value for name, value in after if name == "country"] == countries
    assert [pair for pair in after if pair[0] != "country"] == [
        pair for pair in pairs if pair[0] not in {"country", "strict"}
    ]


def test_an_empty_field_is_none_and_a_value_counts_once() -> None:
    query = PageQuery.of(QueryParams("period=&country=KE&country=KE&country=&window="))
    assert (query.period, query.country, query.window) == (None, ["KE"], 7)


@pytest.mark.parametrize(
    "text", ["granularity=minute", "compare=perhaps", "country=" + "x" * 101, "&".join(f"step={n}" for n in range(21))]
)
def test_an_address_that_makes_no_sense_is_refused_by_name(text: str) -> None:
    with pytest.raises(Problem) as refused:
        PageQuery.of(QueryParams(text))
    assert refused.value.status == 422
    assert text.partition("=")[0] in refused.value.detail


@pytest.mark.parametrize(
    ("parameters", "granularity"),
    [
        ("period=today", "hour"),
        ("period=30d", "day"),
        ("start_date=2025-01-01&end_date=2025-12-31", "week"),
        ("start_date=2023-01-01&end_date=2025-12-31", "month"),
        ("period=7d&granularity=hour", "hour"),
        ("period=90d&granularity=hour", "day"),
        ("period=today&granularity=month", "month"),
    ],
)
def test_trends_are_cut_as_suits_the_period(parameters: str, granularity: str) -> None:
    query = AnalyticsQuery.of(QueryParams(parameters))
    assert query.granularity_of(query.resolve("Africa/Nairobi", NOW)) == granularity


def test_filters_are_conditions_on_events_and_on_sessions() -> None:
    query = AnalyticsQuery.of(QueryParams("country=KE&country=unknown&device=mobile&journey=mri"))
    country = AnyOf((Filter("country_code", "is", ("KE", "unknown")), Filter("country_code", "is_not_set")))
    device = Filter("device_type", "is", ("mobile",))
    journey = Filter("first_of:properties.obligation|properties.obligation_type|properties.journey", "is", ("mri",))
    assert query.conditions() == (device, country, journey)
    assert query.conditions("sessions") == (device, country)
    assert AnalyticsQuery.of(QueryParams("")).conditions() == ()
