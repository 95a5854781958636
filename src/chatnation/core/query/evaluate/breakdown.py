"""Measures by the values of fields."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from chatnation.core.query.answers import BreakdownAnswer, BreakdownRow
from chatnation.core.query.evaluate.measures import Runs
from chatnation.core.query.evaluate.ranking import Ranking, keyed, rank
from chatnation.core.query.evaluate.series import Frames, Measured, Plan, frames, measured, plan, unusable
from chatnation.core.query.evaluate.timeseries import values_of
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Breakdown

Measures = tuple[float | None, ...]


async def answer(query: Breakdown, loader: Loader, now: datetime) -> BreakdownAnswer:
    """Counts a question's series by value; nothing of it depends on the present."""
    planned = plan(query, query.by)
    loaded = await frames(planned, loader)
    return await asyncio.to_thread(_answer, query, planned, loaded)


def _answer(query: Breakdown, planned: Plan, loaded: Frames) -> BreakdownAnswer:
    everything = measured(query, loaded)
    current = [some.within(query.range) for some in everything]
    earlier = [some.within(query.range.previous()) for some in everything] if query.compare else []
    ranking = rank(keyed((some.picked.frame for some in everything), planned.by), current, query.limit)
    *measures, other, total = _by_group(planned, ranking, current)
    *before, other_before, total_before = (
        _by_group(planned, ranking, earlier) if query.compare else [None] * (len(measures) + 2)
    )
    nothing = (None,) * len(query.by)
    return BreakdownAnswer(
        planned.names,
        tuple(map(BreakdownRow, ranking.values, measures, before)),
        BreakdownRow(nothing, other, other_before) if ranking.beyond(current) or ranking.beyond(earlier) else None,
        BreakdownRow(nothing, total, total_before),
        unusable(current),
    )


def _by_group(planned: Plan, ranking: Ranking, series: Sequence[Measured]) -> list[Measures]:
    """The measures of each value, of all others, and of everything."""
    size = len(ranking.keys) + 1
    found = []
    for some in series:
        read, rows = some.meter(), some.picked
        groups = ranking.groups(rows)
        found.append(np.concatenate((read(groups, size), read(Runs(np.array([0, len(groups)])), 1))))
    columns = map(values_of, planned.with_formulas(found))
    return list(zip(*columns, strict=True))
