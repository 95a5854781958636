"""Numbers in short: how many there are, their mean, extremes and percentiles, and how they fall into buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from chatnation.core.query.answers import NumberBucket, Spread
from chatnation.core.query.frame import Floats
from chatnation.core.query.store import QueryRefused

PERCENTILES = (50.0, 75.0, 90.0, 95.0, 99.0)
_BUCKETS = 10


def spread(numbers: Floats) -> Spread:
    """Numbers in short; none of them is NaN."""
    if not len(numbers):
        return Spread(0)
    with np.errstate(over="ignore", invalid="ignore"):
        percentiles = [told(number) for number in np.percentile(numbers, PERCENTILES)]
        mean = told(numbers.mean())
    return Spread(len(numbers), mean, float(numbers.min()), float(numbers.max()), *percentiles)


def check_edges(edges: Sequence[float]) -> None:
    """Refuses edges that are no rising numbers."""
    rising = all(low < high for low, high in pairwise(edges))
    if not rising or not all(map(math.isfinite, edges)):
        raise QueryRefused("The edges of buckets have to be numbers, each greater than the one before.")


def number_buckets(numbers: Floats, edges: Sequence[float] = ()) -> tuple[NumberBucket, ...]:
    """Numbers by bucket: from each edge up to the next, the last without an upper bound; none of them is NaN.

    What is below the first edge is in a bucket without a lower bound, which is only there when it is not empty. Without
    edges: ten equally wide buckets from the least to the greatest number, one if these are equal, none if there are
    no numbers.
    """
    if not edges:
        edges = _equal_edges(numbers)
    if not edges:
        return ()
    places = np.searchsorted(np.array(edges, np.float64), numbers, side="right")
    counts = np.bincount(places, minlength=len(edges) + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.bincount(places, weights=numbers, minlength=len(edges) + 1)
    bounds = pairwise((None, *map(float, edges), None))
    buckets = (
        NumberBucket(low, high, int(count), told(total / count) if count else None)
        for (low, high), count, total in zip(bounds, counts, sums, strict=True)
    )
    return tuple(bucket for bucket in buckets if bucket.low is not None or bucket.count)


def told(number: float) -> float | None:
    """A number as answers have it: what is beyond all numbers, such as a sum that overflows, has no value."""
    return float(number) if math.isfinite(number) else None


def _equal_edges(numbers: Floats) -> list[float]:
    if not len(numbers):
        return []
    low, high = float(numbers.min()), float(numbers.max())
    width = (high / 2 - low / 2) / _BUCKETS  # half of it: the whole may be more than any number
    return sorted({low, *(2 * (low / 2 + step * width) for step in range(1, _BUCKETS))} - {high}) or [low]
