"""The most frequent values of rows, and all other rows together."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.frame import Codes, Rows


@dataclass(frozen=True, slots=True)
class Frequency:
    """Rows by value: the most frequent first, equals in the order of their texts, a missing value (None) last of them.

    `places[row]` is the place of a row's value in `values`, or `len(values)` where it is beyond the limit. `counts`:
    rows of each value, and at last those beyond the limit.
    """

    values: tuple[str | None, ...]
    places: Rows
    counts: NDArray[np.intp]

    @property
    def beyond(self) -> bool:
        """Whether there are rows beyond the limit."""
        return bool(self.counts[-1])


def most_frequent(codes: Codes, values: Sequence[str], limit: int) -> Frequency:
    """The `limit` most frequent values of coded rows."""
    missing = len(values)
    counts = np.bincount(np.where(codes >= 0, codes, missing), minlength=missing + 1)
    found = np.flatnonzero(counts)
    if len(found) > limit:
        least = np.partition(counts[found], len(found) - limit)[len(found) - limit]
        found = found[counts[found] >= least]

    def place(code: int) -> tuple[int, bool, str]:
        return -int(counts[code]), code == missing, "" if code == missing else values[code]

    kept = heapq.nsmallest(limit, found.tolist(), key=place)
    place_of = np.full(missing + 1, len(kept), np.intp)
    place_of[kept] = np.arange(len(kept))
    places = place_of[codes]  # code -1, a missing value, leads to the last place
    named = tuple(None if code == missing else values[code] for code in kept)
    return Frequency(named, places, np.bincount(places, minlength=len(kept) + 1))
