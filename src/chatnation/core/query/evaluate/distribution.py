"""How the numbers of a field are spread."""

from __future__ import annotations

import asyncio
from datetime import datetime

import numpy as np

from chatnation.core.query.answers import DistributionAnswer
from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.local import LocalFrame, loadable
from chatnation.core.query.evaluate.rows import check_actor, load, picked, relevant
from chatnation.core.query.evaluate.spread import check_edges, number_buckets, spread
from chatnation.core.query.frame import Loader, Need
from chatnation.core.query.model import Distribution
from chatnation.core.query.store import QueryRefused


async def answer(query: Distribution, loader: Loader, now: datetime) -> DistributionAnswer:
    """Spreads the numbers of the range; nothing of it depends on the present."""
    check_edges(query.edges)
    if (query.field is None) == (query.per is None):
        raise QueryRefused(
            "A distribution is of the numbers of a field, or of the rows per actor: name one of the two."
        )
    frame = await load(query, loader, _need(query), (query.select,))
    return await asyncio.to_thread(_answer, query, frame)


def _need(query: Distribution) -> Need:
    if query.per is not None:
        check_actor(query.per, query.source)
        return Need(actors=frozenset({query.per}))
    return loadable(Need(numbers=frozenset({field_of(query.field or "", query.source)})))


def _answer(query: Distribution, frame: LocalFrame) -> DistributionAnswer:
    rows = picked(frame, relevant(frame, query), query.select, query.source).rows
    if query.per is not None:
        codes = frame.actors(query.per).codes[rows]
        counts = np.bincount(codes[codes >= 0])
        numbers = counts[counts > 0].astype(np.float64)
        return DistributionAnswer(spread(numbers), number_buckets(numbers, query.edges))
    assert query.field is not None
    column = frame.numbers(field_of(query.field, query.source))
    numbers = column.values[rows]
    numbers = numbers[~np.isnan(numbers)]
    unusable = int(np.count_nonzero(column.unusable[rows]))
    return DistributionAnswer(
        spread(numbers), number_buckets(numbers, query.edges), {query.field: unusable} if unusable else {}
    )
