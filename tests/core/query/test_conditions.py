"""Conditions against a decision about each plain event."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.query.evaluate.conditions import (
    meets,
    need_of_conditions,
    need_of_selections,
    number_of,
    selected,
    text_of,
)
from chatnation.core.query.evaluate.local import localized, time_part
from chatnation.core.query.fields import TIME_PARTS
from chatnation.core.query.instants import micros
from chatnation.core.query.model import AnyOf, Filter, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query import plain
from tests.core.query.histories import PlainEvent, PlainLoader

INSTANT = datetime(2025, 3, 10, 9, tzinfo=UTC)
NAIROBI = ZoneInfo("Africa/Nairobi")


@pytest.mark.parametrize("operator", plain.OPERATORS)
@pytest.mark.parametrize("seed", range(60))
async def test_the_rows_of_a_selection_are_those_that_meet_it(operator: Any, seed: int) -> None:
    random = Random(f"{operator} {seed}")
    events = plain.random_events(random)
    zone = ZoneInfo(random.choice(plain.ZONES))
    condition = plain.random_condition(random)
    while operator not in [single.operator for single in getattr(condition, "any_of", (condition,))]:
        condition = plain.random_condition(random)
    selection = Selection(random.choice(((), ("a", "b"))), (condition,) * random.choice((1, 2)))
    loader = PlainLoader(events)
    frame = await localized(loader, zone).load(None, None, need_of_selections((selection,), "events"))
    expected = [plain.selected(event, selection, zone) for event in loader.events]
    assert selected(frame, selection, "events").tolist() == expected


async def met(value: Any, operator: Any, *values: Any) -> bool:
    """Whether a property with a value (None: none) meets a condition."""
    condition = Filter("properties.x", operator, values)
    event = PlainEvent(INSTANT, "a", properties={} if value is None else {"x": value})
    frame = await PlainLoader([event]).load(None, None, need_of_conditions((condition,), "events"))
    return bool(meets(frame, (condition,), "events")[0])


@pytest.mark.parametrize(
    ("value", "operator", "values", "result"),
    [
        ("5", "is", (5.0,), True),
        (5, "is", ("5",), True),
        (5, "is", (5,), True),
        ("5.0", "is", (5,), True),
        ("5.0", "is", ("5",), False),
        ("0712345678", "is", ("712345678",), False),
        ("12345678901234567891", "is", ("12345678901234567892",), False),
        ("1.10", "is", ("1.1",), False),
        (True, "is", (True,), True),
        (True, "is", (1,), False),
        (1, "is", (True,), False),
        ("Kisumu", "is", ("kisumu",), False),
        ("Kisumu", "contains", ("ISU",), True),
        ("Straße", "ends_with", ("SSE",), True),
        ("Straße", "ends_with", ("STR",), False),
        ("Kisumu", "starts_with", ("x", "KIS"), True),
        ("Kisumu", "starts_with", ("umu",), False),
        ("Kisumu", "is_not", ("Nairobi", "Kisumu"), False),
        ("Kisumu", "not_contains", ("x", "umu"), False),
        (None, "is_not", ("x",), True),
        (None, "not_contains", ("x",), True),
        (None, "is_not_set", (), True),
        (None, "contains", ("",), False),
        ("", "is_set", (), True),
        ([1], "is_set", (), False),
        ("line\nbreak", "matches", ("line*",), True),
        ("a.c", "matches", ("a.c",), True),
        ("abc", "matches", ("a.c",), False),
        ("aba", "matches", ("ab*ba",), False),
        ("abba", "matches", ("ab*ba",), True),
        ("10", "gt", ("9",), True),
        ("abc", "gt", (0,), False),
        (True, "gte", (0,), False),
        (3, "between", (3, 3), True),
        ("1_0", "gt", (1,), False),
        ("inf", "gt", (1,), False),
        (0, "lte", (0,), True),
    ],
)
async def test_a_value_meets_a_condition_or_not(
    value: Any, operator: Any, values: tuple[Any, ...], result: bool
) -> None:
    assert await met(value, operator, *values) is result


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_patterns_fit_as_those_of_the_shell_do(pattern: str, text: str) -> None:
    from chatnation.core.query.evaluate.conditions import _fits

    assert _fits(text, pattern.split("*")) == plain._compare(text, "matches", pattern)


async def test_a_pattern_of_many_stars_is_decided_at_once() -> None:
    began = time.process_time()
    assert not await met("a" * 5_000, "matches", "*a" * 200 + "b*")
    assert time.process_time() - began < 5


async def test_no_rows_have_no_trouble_with_any_condition() -> None:
    for operator in plain.OPERATORS:
        values = {"between": (1, 2), "is_set": (), "is_not_set": ()}.get(operator, (1,))
        condition = Filter("time.date", operator, values)
        need = need_of_conditions((condition,), "events")
        frame = await localized(PlainLoader([]), NAIROBI).load(None, None, need)
        assert meets(frame, (condition, AnyOf((condition,))), "events").tolist() == []


def test_parts_of_the_time_are_never_loaded() -> None:
    need = need_of_conditions((Filter("time.hour", "is", ("9",)), Filter("city", "is", ("Nairobi",))), "events")
    assert {str(field) for field in need.columns} == {"city"}


@pytest.mark.parametrize("part", TIME_PARTS)
@pytest.mark.parametrize("zone", ["Africa/Nairobi", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"])
@pytest.mark.parametrize("count", [0, 1, 5, 3_000])
@pytest.mark.parametrize("beginning", [datetime(1968, 1, 1, tzinfo=UTC), datetime(2025, 3, 20, tzinfo=UTC)])
def test_parts_of_the_time_are_those_that_the_clock_shows(
    part: str, zone: str, count: int, beginning: datetime
) -> None:
    random = Random(count)
    instants = sorted(beginning + timedelta(seconds=random.randrange(20 * 86_400)) for _ in range(count))
    column = time_part(np.array([micros(instant) for instant in instants], np.int64), part, ZoneInfo(zone))
    expected = [plain.value(PlainEvent(instant, "a"), f"time.{part}", ZoneInfo(zone)) for instant in instants]
    assert [column.values[code] for code in column.codes] == expected


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Filter("properties.x", "contains"), "needs a value"),
        (Filter("properties.x", "gt", (1, 2)), "needs a number"),
        (Filter("properties.x", "lt", (True,)), "needs a number"),
        (Filter("properties.x", "between", (1, "two")), "needs two numbers"),
        (Filter("properties.x", "gt", (float("inf"),)), "needs a number"),
        (
            AnyOf((Filter("city", "is_set"), Filter("town", "is", ("Nakuru",)))),
            "There is no field 'town' of events",
        ),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused(condition: Any, words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        need_of_conditions((condition,), "events")


def test_values_are_written_as_columns_hold_them() -> None:
    values = (True, False, 5, 5.0, 2.5, "5.0")
    assert [text_of(value) for value in values] == ["true", "false", "5", "5", "2.5", "5.0"]


def test_numbers_are_read_from_texts() -> None:
    assert [number_of(text) for text in ("4", " 2.5", "1e3", "-0", "nan", "inf", "1e999", "1_0", "true", "")] == [
        4, 2.5, 1000, 0, None, None, None, None, None, None,
    ]  # fmt: skip
