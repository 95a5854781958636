"""What the address of an insight says: the kind of question, and its parts."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from chatnation.plugins.dashboard.api import PeopleQuery
from chatnation.query import Granularity, MeasureKind

Kind = Literal[
    "trend", "breakdown", "distribution", "intervals", "retention", "lifecycle", "stickiness", "paths", "outcomes"
]
KINDS: dict[Kind, str] = {
    "trend": "Trend",
    "breakdown": "Breakdown",
    "distribution": "Distribution of a number",
    "intervals": "Time between events",
    "outcomes": "What became of it",
    "retention": "Retention",
    "lifecycle": "Lifecycle",
    "stickiness": "Stickiness",
    "paths": "Paths",
}
MEASURES: dict[MeasureKind, str] = {
    "count": "Number of events",
    "persons": "Different persons",
    "new_persons": "New persons",
    "sessions": "Different sessions",
    "distinct": "Different values of",
    "sum": "Sum of",
    "avg": "Mean of",
    "min": "Least of",
    "max": "Greatest of",
    "p50": "Median of",
    "p75": "75th percentile of",
    "p90": "90th percentile of",
    "p95": "95th percentile of",
    "p99": "99th percentile of",
}
OF_A_FIELD = frozenset(get_args(MeasureKind)) - {"count", "persons", "new_persons", "sessions"}

Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=10)]


class InsightQuery(PeopleQuery):
    """An insight. Every part is in the address, so the address is the insight."""

    kind: Kind = Field("trend", description="Kind of question.")
    event: Texts = Field([], description="Events; a trend has a line for each, other questions take any of them.")
    end: Texts = Field([], description="Events that it leads to: the end of an interval, coming back, outcomes.")
    measure: MeasureKind = Field("count", description="What is told of the events.")
    property: str | None = Field(None, max_length=200, description="Field that the measure is of.")
    by: str | None = Field(None, max_length=200, description="Field that the answer is broken down by.")
    where: Texts = Field([], description="Conditions, such as `properties.amount > 100`.")
    formula: str | None = Field(None, max_length=500, description="Arithmetic over the events' names in braces.")
    limit: int = Field(10, ge=1, le=50, description="Most values of a breakdown.")
    hours: float = Field(24, gt=0, le=2_160, description="Hours in which the end has to come.")
    period_of: Granularity = Field("week", description="Periods of retention, lifecycle and stickiness.")
    bots: bool = Field(False, description="Whether bots count too.")
    behind: str | None = Field(None, max_length=5_000, description="Whose list is open: a place, as JSON.")
