"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.web.spreadsheet import csv_text, safe_cell

cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(st.lists(st.lists(cells, min_size=2, max_size=2)))
def test_every_row_comes_back_and_no_cell_is_a_formula(rows: list[list[str]]) -> None:
    text = csv_text(("a", "b"), rows).removeprefix("\ufeff")
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read[0] == ["a", "b"]
    assert len(read) == len(rows) + 1
    for given_row, row in zip(rows, read[1:], strict=True):
        for value, cell in zip(given_row, row, strict=True):
            assert cell in {value, "'" + value}
            assert not cell.lstrip(" ").startswith(("=", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+254700000000", "+254700000000"),
        ("-cmd|calc", "'-cmd|calc"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1+1", "' =1+1"),
        ("-5.5", "-5.5"),
        (-5.5, "-5.5"),
        (None, ""),
        (True, "true"),
        ("Nairobi", "Nairobi"),
    ],
)
def test_what_a_cell_looks_like(value: object, cell: str) -> None:
    assert safe_cell(value) == cell
