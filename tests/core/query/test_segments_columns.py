"""Columns: what they are made of, and what comes back of their bytes. The oracle looks at one row at a time."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from random import Random
from typing import Any

import numpy as np
import pytest

from chatnation.core.query.segments.column import Column, join_columns
from chatnation.core.query.segments.encoding import FORMAT, Part, decode, encode
from chatnation.core.query.segments.ids import Ids, join_ids, unique_ids
from chatnation.core.query.segments.left_out import _value
from chatnation.core.query.segments.properties import flatten
from tests.core.query.histories import PlainEvent, text_of
from tests.core.query.segment_world import random_properties

KINDS: list[list[Any]] = [
    ["a", "b", "", "é\u2028", "1", "true"],
    [0, 1, -5, 2**62, -(2**63), 2**63 - 1],
    [2**63, 2**64, 1, "x"],
    [0.0, -0.0, 1.5, 1e300, 5e-324],
    [True, False],
    [1, 1.0, True, "1", "1.0", "true"],
    ["nan", "inf", " 2.5", "1_000", "4", "-0", "1e400", 3],
]

WRITTEN: dict[str, tuple[Part, str]] = {
    "times": (np.array([1_000, 1_500, 4_000], np.int64), "0002000003000000e8030000000000000000000000000000f401c409"),
    "texts": (
        Column.of(["web", None, "whatsapp", "web"]),
        "0102010004000000030000000200000001000201776562007768617473617070",
    ),
    "numbers": (
        Column.of([1, 2.5, None, True]),
        "01020100040000000300000003000000010200033100322e350074727565",
    ),
    "sparse": (Column.of([None] * 5 + ["x"]), "01030100060000000100000001000000050078"),
    "ids": (
        Ids.of([bytes(range(16)), None]),
        "010201030200000001000000010000000100000102030405060708090a0b0c0d0e0f",
    ),
}
"""Columns as they are written in format 1."""


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_changes_with_the_number_of_the_format_only(name: str) -> None:
    column, written = WRITTEN[name]
    assert (FORMAT, encode(column).hex()) == (1, written), "raise FORMAT, and write down here what is written now"


def texts(column: Column) -> list[str | None]:
    values = column.texts()
    return [values[code] if code >= 0 else None for code in column.codes.tolist()]


def back(column: Column) -> Column:
    found = decode(encode(column))
    assert isinstance(found, Column)
    return found


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_a_column_has_the_text_and_the_number_of_each_row(kind: list[Any], share: float) -> None:
    random = Random(3)
    values = [random.choice(kind) if random.random() < share else None for _ in range(500)]
    column = Column.of(values)
    for found in (column, back(column), back(column.take(slice(100, 400)).compact())):
        expected = values if len(found.codes) == 500 else values[100:400]
        assert texts(found) == [text_of(value) for value in expected]
        numbers = found.numbers()
        for value, number, unusable in zip(expected, numbers.values, numbers.unusable, strict=True):
            usable = PlainEvent(datetime.now(UTC), "x", properties={"p": value}).number("properties.p")
            if usable is not None and isinstance(value, str) and "_" in value:
                usable = None
            assert (number == usable) if usable is not None else math.isnan(number)
            assert unusable == (value is not None and usable is None)


@pytest.mark.parametrize("seed", range(20))
def test_joined_columns_have_the_rows_of_all(seed: int) -> None:
    random = Random(seed)
    parts = [[random.choice([None, *random.choice(KINDS)]) for _ in range(random.randrange(30))] for _ in range(4)]
    joined = join_columns([Column.of(part) for part in parts])
    assert texts(joined) == [text_of(value) for part in parts for value in part]
    assert len(set(joined.texts())) == len(joined.texts())


@pytest.mark.parametrize("size", [1, 200, 300, 70_000])
def test_codes_of_every_width_come_back(size: int) -> None:
    column = Column(np.arange(size, dtype=np.int32), [str(number) for number in range(size)])
    assert texts(back(column)) == [str(number) for number in range(size)]
    sparse = column.spread(np.arange(size) * 3, 3 * size)
    assert texts(back(sparse)) == texts(sparse)


@pytest.mark.parametrize("seed", range(30))
def test_a_path_leads_to_the_value_that_an_object_has_there(seed: int) -> None:
    random = Random(seed)
    objects = [json.loads(json.dumps(random_properties(random))) for _ in range(40)]
    columns = flatten(objects)
    paths = {*columns, "a", "a.b", "a.b.c", "a.c", "template.b.c", "ok.b", "b c", "amount", "none"}
    for path in paths:
        expected = [PlainEvent(datetime.now(UTC), "x", properties=each).value(f"properties.{path}") for each in objects]
        assert [text_of(_value(each, path)) for each in objects] == expected
        assert (texts(columns[path]) if path in columns else [None] * 40) == expected


def test_ids_are_told_apart_by_both_halves() -> None:
    same_first = [bytes(8) + bytes([0] * 7 + [number]) for number in (3, 1, 2, 1, 3)]
    other = [bytes([1]) + bytes(15), None, same_first[1]]
    ids = Ids.of(same_first)
    joined = join_ids([ids, Ids.of(other)])
    assert len(joined.ids) == 4
    found = [None if code < 0 else joined.ids[code].astype(">u8").tobytes() for code in joined.codes]
    assert found == [*same_first, *other]
    unique, places = unique_ids(joined.ids[[2, 0, 0, 1]])
    assert (unique[places] == joined.ids[[2, 0, 0, 1]]).all()
    again = decode(encode(joined))
    assert isinstance(again, Ids)
    assert (again.codes == joined.codes).all()
    assert (again.ids == joined.ids).all()


def test_times_come_back_however_far_apart() -> None:
    for times in ([], [5], [-5, -5, 3], [0, 10**15, 10**18]):
        array = np.array(times, np.int64)
        assert np.array_equal(decode(encode(array)), array)  # type: ignore[arg-type]


@pytest.mark.parametrize("spread", [1, 200, 60_000, 2**31, 2**45])
def test_times_come_back_that_are_in_no_order(spread: int) -> None:
    random = Random(spread)
    times = [1_700_000_000_000_000 + random.randrange(-spread, spread) for _ in range(50)]
    for some in (times, times[:1], []):
        assert np.array_equal(decode(encode(np.array(some, np.int64))), some)  # type: ignore[arg-type]
