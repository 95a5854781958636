"""Conditions as people write them."""

from __future__ import annotations

import pytest

from chatnation import Problem
from chatnation.plugins.dashboard.api import SIGNS, conditions_of, parse_condition
from chatnation.query import Filter, NumberBucket


@pytest.mark.parametrize("sign", SIGNS)
def test_every_comparison_can_be_written(sign: str) -> None:
    values = "" if SIGNS[sign] in ("is_set", "is_not_set") else "1 | 2"
    expected = Filter("properties.x", SIGNS[sign], tuple(values.split(" | ")) if values else ())
    assert parse_condition(f"properties.x {sign} {values}") == expected


@pytest.mark.parametrize("line", ["", "x", "x =", "= 1", "x is set 1", "x ≈ 1"])
def test_what_is_no_condition_is_refused(line: str) -> None:
    with pytest.raises(Problem, match="is no condition"):
        parse_condition(line)


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [
        (NumberBucket(0.1, 1e21, 1), [Filter("x", "gte", ("0.1",)), Filter("x", "lt", ("1e+21",))]),
        (NumberBucket(None, -2.0, 1), [Filter("x", "lt", ("-2.0",))]),
        (NumberBucket(5.0, None, 1), [Filter("x", "gte", ("5.0",))]),
    ],
)
def test_a_range_of_a_histogram_is_written_as_conditions(bucket: NumberBucket, expected: list[Filter]) -> None:
    lines = conditions_of("x", bucket)
    assert lines is not None
    assert [parse_condition(line) for line in lines] == expected


@pytest.mark.parametrize("field", ["properties.total amount", "properties.a=b", "properties.a>"])
def test_a_range_of_a_field_that_no_condition_can_name_is_not_written(field: str) -> None:
    assert conditions_of(field, NumberBucket(1.0, 2.0, 1)) is None
