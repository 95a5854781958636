"""Rows in the order of actors, what follows what, and which values are frequent."""

from __future__ import annotations

from random import Random

import numpy as np

from chatnation.core.query.evaluate.frequency import most_frequent
from chatnation.core.query.evaluate.ordering import by_actor, next_match, previous_match, run_bounds


def test_rows_of_an_actor_are_together_in_their_order_and_rows_of_nobody_are_left_out() -> None:
    for seed in range(200):
        random = Random(seed)
        codes = [random.choice((-1, 0, 1, 5, 70_000)) for _ in range(random.randrange(40))]
        rows = sorted((row for row, code in enumerate(codes) if code >= 0), key=lambda row: codes[row])
        order = by_actor(np.array(codes, np.int32))
        actors = sorted(set(codes) - {-1})

        assert order.rows.tolist() == rows
        assert order.owners.tolist() == [actors.index(codes[row]) for row in rows]
        assert order.ends.tolist() == [max(place for place, other in enumerate(rows) if codes[other] == codes[row]) + 1
                                       for row in rows]  # fmt: skip
        assert order.bounds.tolist() == [0, *sorted(set(order.ends.tolist()))]


def test_matches_are_found_at_or_after_and_before_a_place() -> None:
    mask = np.array([False, True, False, False, True])

    assert next_match(mask).tolist() == [1, 1, 4, 4, 4, 5]
    assert previous_match(mask).tolist() == [-1, -1, 1, 1, 1]
    assert next_match(mask[:0]).tolist() == [0]
    assert previous_match(mask[:0]).tolist() == []


def test_runs_of_equal_keys_have_bounds() -> None:
    assert run_bounds(np.array([3, 3, 4, 3])).tolist() == [0, 2, 3, 4]
    assert run_bounds(np.array([], np.int64)).tolist() == [0]


def test_equally_frequent_values_come_in_the_order_of_their_texts_and_a_missing_one_last() -> None:
    found = most_frequent(np.array([2, 0, 1, -1, 2, 3, 3], np.int32), ["b", "a", "z", "y"], 3)

    assert found.values == ("y", "z", "a")
    assert found.places.tolist() == [1, 3, 2, 3, 1, 0, 0]
    assert found.counts.tolist() == [2, 2, 1, 2]
    assert found.beyond

    assert most_frequent(np.array([-1, 0], np.int32), ["a"], 2).values == ("a", None)
    assert not most_frequent(np.array([], np.int32), [], 2).beyond
