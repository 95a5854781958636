"""From the parts of an insight to the question that it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chatnation import Problem
from chatnation.plugins.dashboard.api import View, parse_condition
from chatnation.plugins.insights.address import OF_A_FIELD, InsightQuery, Kind
from chatnation.query import (
    Breakdown,
    Distribution,
    Formula,
    Intervals,
    Lifecycle,
    Measure,
    Outcome,
    Outcomes,
    Paths,
    Query,
    Retention,
    Selection,
    Series,
    Stickiness,
    Timeseries,
)

ALL = "all events"


def question_of(view: View[InsightQuery]) -> Query:
    """The question of a view; raises a 422 that says what it lacks."""
    asked = view.query
    about: dict[str, Any] = {
        "range": view.range,
        "filters": (*view.conditions(), *map(parse_condition, asked.where)),
        "include_bots": asked.bots,
    }
    make = {
        "trend": _trend,
        "breakdown": _breakdown,
        "distribution": _distribution,
        "intervals": _intervals,
        "outcomes": _outcomes,
        "retention": _retention,
        "lifecycle": _lifecycle,
        "stickiness": _stickiness,
        "paths": _paths,
    }
    makers: Mapping[Kind, Any] = make  # type: ignore[assignment]
    question: Query = makers[asked.kind](view, about)
    return question


def _trend(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    asked = view.query
    return Timeseries(
        **about,
        series=_series(asked),
        formulas=(Formula("formula", asked.formula),) if asked.formula else (),
        granularity=view.granularity,
        by=asked.by,
        limit=asked.limit,
        compare=view.compare,
    )


def _breakdown(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    asked = view.query
    by = asked.by or "event_name"
    return Breakdown(**about, series=_series(asked), by=(by,), limit=asked.limit, compare=view.compare)


def _distribution(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    if not view.query.property:
        raise _lacks("Name the number whose values are counted, such as properties.amount.")
    return Distribution(**about, select=_any_of(view.query.event), field=view.query.property)


def _intervals(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    start, end = _both(view.query)
    return Intervals(
        **about,
        start=start,
        end=end,
        within=view.query.hours * 3600,
        granularity=view.granularity,
        by=view.query.by,
        limit=view.query.limit,
    )


def _outcomes(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    start, _ = _both(view.query)
    return Outcomes(
        **about,
        start=start,
        outcomes=tuple(Outcome(name, Selection((name,))) for name in dict.fromkeys(view.query.end)),
        window=view.query.hours * 3600,
        granularity=view.granularity,
        compare=view.compare,
    )


def _retention(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    asked = view.query
    back = _any_of(asked.end or asked.event)
    return Retention(**about, start=_any_of(asked.event), back=back, granularity=asked.period_of)


def _lifecycle(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    return Lifecycle(**about, select=_any_of(view.query.event), granularity=view.query.period_of)


def _stickiness(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    return Stickiness(**about, select=_any_of(view.query.event), granularity=view.query.period_of)


def _paths(view: View[InsightQuery], about: dict[str, Any]) -> Query:
    asked = view.query
    return Paths(
        **about,
        node=asked.by or "event_name",
        start=_any_of(asked.event) if asked.event else None,
        end=_any_of(asked.end) if asked.end else None,
    )


def _series(asked: InsightQuery) -> tuple[Series, ...]:
    if asked.measure in OF_A_FIELD and not asked.property:
        raise _lacks("Name the field that this measure is of, such as properties.amount.")
    measure = Measure(asked.measure, asked.property if asked.measure in OF_A_FIELD else None)
    names = list(dict.fromkeys(asked.event))
    if not names:
        return (Series(ALL, Selection(), measure),)
    return tuple(Series(name[:100], Selection((name,)), measure) for name in names)


def _any_of(events: list[str]) -> Selection:
    return Selection(tuple(dict.fromkeys(events)))


def _both(asked: InsightQuery) -> tuple[Selection, Selection]:
    if not asked.event or not asked.end:
        raise _lacks("Name the event that it begins with, and the one that it leads to.")
    return _any_of(asked.event), _any_of(asked.end)


def _lacks(text: str) -> Problem:
    return Problem(422, "incomplete_insight", text)
