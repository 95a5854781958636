"""Rows one actor after the other: where all questions about what somebody does after something else begin.

Such questions are put in terms of *places*: positions in the order by actor, within an actor in the order of events.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.frame import Codes, Mask, Rows


@dataclass(frozen=True)
class Sequences:
    """The rows that have an actor, those of one actor together and in the order of events.

    `rows[place]` is the row of the frame at a place. `bounds` are the places where an actor's rows begin, and at last
    the number of places.
    """

    rows: Rows
    bounds: Rows

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.rows)

    @cached_property
    def owners(self) -> Rows:
        """Whose each place is: 0 for the first actor that has rows, then 1, and so on."""
        return np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))

    @cached_property
    def ends(self) -> Rows:
        """For each place, the place behind the last one of the same actor."""
        return np.repeat(self.bounds[1:], np.diff(self.bounds))


def by_actor(codes: Codes) -> Sequences:
    """The order by actor of rows that are in the order of events."""
    known = np.flatnonzero(codes >= 0)
    # Sorting numbers is several times as fast as sorting positions by them, so the row is the lower half of the number.
    width = max(1, len(codes).bit_length())
    keys = codes[known].astype(np.int64)
    keys <<= width
    keys |= known
    keys.sort()
    rows = (keys & ((1 << width) - 1)).astype(np.intp)
    keys >>= width
    return Sequences(rows, run_bounds(keys))


def run_bounds(keys: NDArray[np.integer]) -> Rows:
    """Where each run of equal keys begins, and at last their number."""
    if not len(keys):
        return np.zeros(1, np.intp)
    return np.concatenate(([0], np.flatnonzero(keys[1:] != keys[:-1]) + 1, [len(keys)]))


def next_match(mask: Mask) -> Rows:
    """For each place the first at or after it where the mask holds, or the number of places where there is none.

    One longer than the mask, so that "after it" is `next_match(mask)[place + 1]`. Who asks has to see that the match is
    one of the same actor: less than `Sequences.ends[place]`.
    """
    size = len(mask)
    found = np.full(size + 1, size, np.intp)
    matches = np.flatnonzero(mask)
    found[matches] = matches
    return np.minimum.accumulate(found[::-1])[::-1]


def previous_match(mask: Mask) -> Rows:
    """For each place the last one before it where the mask holds, or -1 where there is none."""
    found = np.full(len(mask) + 1, -1, np.intp)
    matches = np.flatnonzero(mask)
    found[matches + 1] = matches
    return np.maximum.accumulate(found)[:-1]
