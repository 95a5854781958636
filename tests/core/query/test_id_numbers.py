"""Numbers of ids and texts stay what they are, and are exact also where halves of ids are alike."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.query.segments.id_numbers import IdNumbers
from chatnation.core.query.segments.texts import TextNumbers

FEW = st.integers(0, 3)
"""So few different halves that many ids share one."""
BATCHES = st.lists(st.lists(st.tuples(FEW, FEW), max_size=12), max_size=6)


@given(BATCHES)
def test_each_id_has_one_number_for_ever(batches: list[list[tuple[int, int]]]) -> None:
    numbers = IdNumbers()
    known: dict[tuple[int, int], int] = {}
    for batch in batches:
        ids = np.array(batch, np.uint64).reshape(-1, 2)
        before = numbers.find(ids).tolist()
        assert before == [known.get(each, -1) for each in batch]
        for each, number in zip(batch, numbers.add(ids).tolist(), strict=True):
            assert known.setdefault(each, number) == number
        assert numbers.find(ids).tolist() == [known[each] for each in batch]
    assert sorted(known.values()) == list(range(len(known))) == list(range(len(numbers)))
    assert [tuple(each) for each in numbers.ids.tolist()] == sorted(known, key=known.__getitem__)


@given(st.lists(st.lists(st.text(max_size=2), max_size=10), max_size=5))
def test_each_text_has_one_number_for_ever(batches: list[list[str]]) -> None:
    numbers = TextNumbers()
    for batch in batches:
        found = numbers.add(batch).tolist()
        assert [numbers.values[number] for number in found] == batch
    assert len(set(numbers.values)) == len(numbers.values)
