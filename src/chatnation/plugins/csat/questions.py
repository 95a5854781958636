"""What is asked of events about satisfaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chatnation.query import (
    DAY,
    Breakdown,
    Condition,
    Distribution,
    Events,
    Filter,
    First,
    Formula,
    Granularity,
    Measure,
    Outcome,
    Outcomes,
    Range,
    Selection,
    Series,
    Timeseries,
)

SUBMITTED, SENT = "csat_submitted", "csat.sent"
SCORES = (1, 2, 3, 4, 5)
RATING = "properties.rating"
CHAT = "first_of:properties.inboxSessionId|session|person"
"""The chat that was rated, else the visit in which somebody rated."""
JOURNEY = "first_of:properties.journey|properties.journeyStep|properties.issue"
AGENT = "properties.agentId"
ANSWERED_WITHIN = 30 * DAY

_SCORES = tuple(float(score) for score in SCORES)
_VALID = Filter(RATING, "is", _SCORES)
_FIRST = First(CHAT, (_VALID,))
RATED = Selection((SUBMITTED,), (_VALID,), _FIRST)
"""The first valid rating of each chat: the one that counts."""
REVISED = Selection((SUBMITTED,), (_VALID,), replace(_FIRST, later=True))
INVALID = Selection((SUBMITTED,), (Filter(RATING, "is_set"), Filter(RATING, "is_not", _SCORES)))
ASKED = Selection((SENT,))
FIVE_STAR = Formula("five_star", "{five} / {responses}")

Show = Literal["latest", "low", "comments", "revised", "invalid"]


def rated(score: float) -> Selection:
    """Ratings that count, of one score."""
    return narrowed(RATED, Filter(RATING, "is", (float(score),)))


def narrowed(select: Selection, *conditions: Condition) -> Selection:
    """A selection with more conditions. Which rating is the first of its chat does not change by them."""
    return replace(select, filters=(*select.filters, *conditions))


def feedback(show: Show, low: int) -> Selection:
    """Which ratings are listed; `low`: the highest score that is low."""
    match show:
        case "low":
            return narrowed(RATED, Filter(RATING, "lte", (float(low),)))
        case "comments":
            return narrowed(
                RATED, Filter("properties.feedback", "is_set"), Filter("properties.feedback", "is_not", ("",))
            )
        case "revised":
            return REVISED
        case "invalid":
            return INVALID
    return RATED


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions about a stretch of time, through the filters of a page."""

    stretch: Range
    conditions: Sequence[Condition] = ()

    def figures(self, granularity: Granularity) -> Timeseries:
        """Responses, their average, surveys sent, and what does not count; with those of the range before."""
        return Timeseries(
            range=self.stretch,
            filters=tuple(self.conditions),
            series=(
                Series("responses", RATED),
                Series("average", RATED, Measure("avg", RATING)),
                Series("five", rated(5)),
                Series("sent", ASKED),
                Series("revised", REVISED),
                Series("invalid", INVALID),
            ),
            formulas=(FIVE_STAR,),
            granularity=granularity,
            compare=True,
        )

    def scores(self) -> Distribution:
        return Distribution(
            range=self.stretch, filters=tuple(self.conditions), select=RATED, field=RATING, edges=_SCORES
        )

    def breakdown(self, by: str, limit: int = 200) -> Breakdown:
        """Responses, their average, and how many of each score, by a field of the rating."""
        return Breakdown(
            range=self.stretch,
            filters=tuple(self.conditions),
            series=(
                Series("responses", RATED),
                Series("average", RATED, Measure("avg", RATING)),
                *(Series(f"score {score}", rated(score)) for score in SCORES),
            ),
            by=(by,),
            limit=limit,
        )

    def surveys(self, granularity: Granularity) -> Outcomes:
        """What became of the surveys that were sent, by the agent of the chat: a score, nothing, or nothing yet."""
        return Outcomes(
            range=self.stretch,
            start=ASKED,
            outcomes=tuple(Outcome(str(score), rated(score)) for score in SCORES),
            window=ANSWERED_WITHIN,
            where=tuple(self.conditions),
            actor=CHAT,
            by=AGENT,
            limit=500,
            granularity=granularity,
            compare=True,
        )

    def feedback(self, show: Show, low: int, limit: int, after: str | None = None) -> Events:
        return Events(
            range=self.stretch,
            filters=tuple(self.conditions),
            select=feedback(show, low),
            limit=limit,
            after=after,
        )
