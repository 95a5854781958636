"""How far a question reads: the stretch of time that its answer depends on, and the fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from chatnation.core.query.checks import funnel_of, range_of
from chatnation.core.query.fields import FIRST_OF
from chatnation.core.query.model import (
    Breakdown,
    First,
    Funnel,
    FunnelActors,
    FunnelWalk,
    Intervals,
    Lifecycle,
    Measure,
    Outcomes,
    Query,
    Retention,
    Timeseries,
)


def reach_of(query: Query) -> tuple[datetime | None, datetime | None]:
    """From when until when rows may matter to the answer; None: without bound."""
    stretch = range_of(query)
    start, end = stretch.start, stretch.end
    if isinstance(query, Retention):
        return None, None
    if isinstance(query, Lifecycle) or _tells_newcomers(query) or _asks_for_firsts(query):
        return None, end
    if isinstance(query, Intervals):
        within = timedelta(seconds=query.within)
        return start - within, end + within
    compares = getattr(query, "compare", False)
    if isinstance(query, Funnel | FunnelActors | FunnelWalk):
        funnel = funnel_of(query)
        end += timedelta(seconds=funnel.window)
        compares = funnel.compare
    elif isinstance(query, Outcomes):
        end += timedelta(seconds=query.window)
    if compares:
        start = stretch.previous().start
    if isinstance(query, Outcomes) and query.outside:
        start -= timedelta(seconds=query.window)
    return start, end


def names_in(query: Query) -> set[str]:
    """Every text in a question: the fields that it reads are among them."""
    return set(_texts(query))


def _tells_newcomers(query: Query) -> bool:
    series = query.series if isinstance(query, Timeseries | Breakdown) else ()
    return any(each.measure == Measure("new_persons") or each.measure.kind == "new_persons" for each in series)


def _asks_for_firsts(value: Any) -> bool:
    """Whether a selection in it has `first`, which looks at all of time."""
    if isinstance(value, tuple):
        return any(map(_asks_for_firsts, value))
    if dataclasses.is_dataclass(value):
        return isinstance(value, First) or any(
            _asks_for_firsts(getattr(value, field.name)) for field in dataclasses.fields(value)
        )
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if value.startswith(FIRST_OF):
            yield from value.removeprefix(FIRST_OF).split("|")
    elif isinstance(value, tuple):
        for each in value:
            yield from _texts(each)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _texts(getattr(value, field.name))
