"""From a question to its recount."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chatnation.core.query.answers import ActorsAnswer, Answer, FoundActor
from chatnation.core.query.model import Query
from tests.core.query.asking import bucket, listed, periods_of
from tests.core.query.histories import PlainEvent
from tests.core.query.recount import (
    breakdown,
    distribution,
    funnel,
    intervals,
    lifecycle,
    outcomes,
    paths,
    retention,
    stickiness,
    timeseries,
    uniques,
)
from tests.core.query.recount.reduction import reduced

Recount = Callable[[Any, list[PlainEvent], datetime], Answer]


def recounted(query: Query, events: Sequence[PlainEvent], now: datetime) -> Answer:
    """The answer to a question about these events, in whatever order; KeyError for a kind without a recount."""
    return RECOUNTS[query.kind](*reduced(query, events), now)


def _page(asked: Any, actors: Sequence[FoundActor]) -> ActorsAnswer:
    return ActorsAnswer(tuple(actors[asked.offset : asked.offset + asked.limit]), len(actors))


def _in_state(asked: Any, events: list[PlainEvent], now: datetime) -> Answer:
    query = asked.lifecycle
    numbers = periods_of(query.range, query.granularity)
    number = next(one for one in numbers if bucket(one, query.granularity, query.range.zone, now).label == asked.bucket)
    found = lifecycle.states_of(query, events, now, number)[asked.state]
    return _page(asked, listed(found, query.actor))


def _so_often(asked: Any, events: list[PlainEvent], now: datetime) -> Answer:
    query = asked.stickiness
    found = [
        (actor, came[-1].time)
        for actor, came in stickiness.comers(query, events).items()
        if stickiness.periods_of_one(query, came) == asked.periods
    ]
    return _page(asked, listed(found, query.actor))


RECOUNTS: Mapping[str, Recount] = {
    "timeseries": timeseries.recount,
    "breakdown": breakdown.recount,
    "distribution": distribution.recount,
    "uniques": uniques.recount,
    "funnel": funnel.recount,
    "funnel_actors": funnel.actors,
    "retention": retention.recount,
    "retention_actors": lambda asked, events, now: _page(asked, retention.behind(asked, events, now)),
    "paths": lambda query, events, now: paths.recount(query, events),
    "paths_actors": lambda asked, events, now: _page(asked, paths.behind(asked, events)),
    "lifecycle": lifecycle.recount,
    "lifecycle_actors": _in_state,
    "stickiness": lambda query, events, now: stickiness.recount(query, events),
    "stickiness_actors": _so_often,
    "intervals": intervals.recount,
    "outcomes": outcomes.recount,
}
"""By kind of question; those of rows and names have tests of their own."""
