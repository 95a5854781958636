"""How numbers are spread, or rows per actor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from chatnation.core.query.answers import DistributionAnswer, NumberBucket
from chatnation.core.query.model import Distribution
from tests.core.query import plain
from tests.core.query.asking import actor_of, spread_of
from tests.core.query.histories import PlainEvent


def recount(query: Distribution, events: Sequence[PlainEvent], now: datetime) -> DistributionAnswer:
    rows = plain.inside(plain.about(events, query, query.select), query.range)
    if query.per is not None:
        counts = Counter(actor for event in rows if (actor := actor_of(event, query.per)) is not None)
        numbers = [float(count) for count in counts.values()]
        return DistributionAnswer(spread_of(numbers), buckets_of(numbers, query.edges))
    assert query.field is not None
    numbers = plain.numbers(rows, query.field)
    unusable = plain.unusable(rows, query.field)
    return DistributionAnswer(
        spread_of(numbers), buckets_of(numbers, query.edges), {query.field: unusable} if unusable else {}
    )


def buckets_of(numbers: Sequence[float], edges: Sequence[float]) -> tuple[NumberBucket, ...]:
    """Numbers from each edge up to the next; without edges ten equally wide buckets."""
    if not edges and numbers:
        width = (max(numbers) - min(numbers)) / 10
        edges = [min(numbers) + place * width for place in range(10)] if width else [min(numbers)]
    bounds: list[tuple[float | None, float | None]] = list(zip([None, *edges], [*edges, None], strict=True))
    if not edges or min(numbers, default=edges[0]) >= edges[0]:
        bounds = bounds[1:]
    found = []
    for low, high in bounds:
        inside = [n for n in numbers if (low is None or n >= low) and (high is None or n < high)]
        found.append(NumberBucket(low, high, len(inside), spread_of(inside).mean))
    return tuple(found)
