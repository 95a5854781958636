"""How far a question reads: the stretch of time that its answer depends on, and the fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from chatnation.core.query.checks import question_of
from chatnation.core.query.fields import FIRST_OF
from chatnation.core.query.model import (
    Breakdown,
    First,
    Funnel,
    Intervals,
    Lifecycle,
    Measure,
    Outcomes,
    Query,
    Question,
    Retention,
    Timeseries,
)


def reach_of(query: Query) -> tuple[datetime | None, datetime | None]:
    """From when until when rows may matter to the answer; None: without bound."""
    question = question_of(query)
    start, end = question.range.start, question.range.end
    if isinstance(question, Retention):
        return None, None
    if isinstance(question, Lifecycle) or _tells_newcomers(question) or _asks_for_firsts(question):
        return None, end
    if isinstance(question, Intervals):
        within = timedelta(seconds=question.within)
        return start - within, end + within
    if isinstance(question, Funnel | Outcomes):
        end += timedelta(seconds=question.window)
    if getattr(question, "compare", False):
        start = question.range.previous().start
    if isinstance(question, Outcomes) and question.outside:
        start -= timedelta(seconds=question.window)
    return start, end


def names_in(query: Query) -> set[str]:
    """Every text in a question: the fields that it reads are among them."""
    return set(_texts(query))


def _tells_newcomers(query: Question) -> bool:
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
