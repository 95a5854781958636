"""Answers to the questions of `model.py`. Frozen, JSON-ready; shares are 0 to 1, durations seconds.

`unusable` counts, by field, the values that were left out because they are no numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Bucket:
    """A stretch of local time.

    `label`: ISO date of its first day, with the hour where it is one. `complete`: it is over.
    """

    start: datetime
    end: datetime
    label: str
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One series, or formula, by bucket. `total` is the measure over the whole range, not a sum of the values.

    `value` is that of the broken-down field; None where it is missing. `other`: everything beyond the limit.
    """

    series: str
    values: tuple[float | None, ...]
    total: float | None
    value: str | None = None
    other: bool = False


@dataclass(frozen=True, slots=True)
class TimeseriesAnswer:
    """Lines over the buckets of a range, and over those of the range before."""

    buckets: tuple[Bucket, ...]
    lines: tuple[Line, ...]
    previous_buckets: tuple[Bucket, ...] = ()
    previous: tuple[Line, ...] = ()
    unusable: Mapping[str, int] = field(default_factory=dict)

    def line(self, series: str) -> Line:
        """The line of a series without a breakdown."""
        return next(line for line in self.lines if line.series == series)

    def before(self, series: str) -> Line:
        """The same line in the range before, where the question compares."""
        return next(line for line in self.previous if line.series == series)


@dataclass(frozen=True, slots=True)
class BreakdownRow:
    """Values of the fields (None: missing), and of each series and formula, in the order asked. `previous` likewise."""

    values: tuple[str | None, ...]
    measures: tuple[float | None, ...]
    previous: tuple[float | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class BreakdownAnswer:
    """Rows by value; `other` is what is beyond the limit, `total` everything."""

    series: tuple[str, ...]
    rows: tuple[BreakdownRow, ...]
    other: BreakdownRow | None
    total: BreakdownRow
    unusable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """Some numbers in short; every figure but the count is None when there are none."""

    count: int
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class NumberBucket:
    """How many numbers are at least `low` and below `high`; None: no bound."""

    low: float | None
    high: float | None
    count: int
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class DistributionAnswer:
    """How numbers are spread."""

    spread: Spread
    buckets: tuple[NumberBucket, ...]
    unusable: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Combination:
    """Actors that are in exactly these sets."""

    sets: tuple[str, ...]
    actors: int


@dataclass(frozen=True, slots=True)
class UniquesAnswer:
    """`sizes`: actors by set. `combinations`: those with any actors. `total`: actors in at least one set."""

    sizes: Mapping[str, int]
    combinations: tuple[Combination, ...]
    total: int


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step: `reached` came here or further.

    Of those who came here and no further, `dropped` cannot go on any more, `open` still can. `low` and `high` bound the
    share of step 1 (Wilson's interval, 95 %). An optional step tells how many passed it.
    """

    name: str
    reached: int
    of_first: float | None
    of_previous: float | None
    dropped: int
    open: int
    low: float | None = None
    high: float | None = None
    from_previous: Spread = Spread(0)
    from_first: Spread = Spread(0)
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FunnelGroup:
    """A value of the breakdown: how many reached each step. `significant`: differs from all others, p < 0.05."""

    value: str | None
    reached: tuple[int, ...]
    conversion: float | None
    other: bool = False
    significant: bool = False


@dataclass(frozen=True, slots=True)
class FunnelBucket:
    """Entries of a bucket. `mature`: no entry of it can convert any more."""

    bucket: Bucket
    entered: int
    converted: int
    open: int
    conversion: float | None
    mature: bool


@dataclass(frozen=True, slots=True)
class FunnelAnswer:
    """How far actors came. `conversion`: share of step 1 that reached the last step that is not optional."""

    steps: tuple[FunnelStep, ...]
    conversion: float | None
    histogram: tuple[NumberBucket, ...] = ()
    groups: tuple[FunnelGroup, ...] = ()
    trend: tuple[FunnelBucket, ...] = ()
    previous: FunnelAnswer | None = None


@dataclass(frozen=True, slots=True)
class FunnelActor:
    """An actor in a funnel: their person (None for actors that are not), entry, and time of the last step reached."""

    actor: str
    person_id: UUID | None
    entered_at: datetime
    last_at: datetime
    reached: int


@dataclass(frozen=True, slots=True)
class FunnelActorsAnswer:
    """A page of actors, and how many there are altogether."""

    actors: tuple[FunnelActor, ...]
    total: int


@dataclass(frozen=True, slots=True)
class FoundActor:
    """An actor behind a number: their person (None for actors that are not), and when they did what puts them there.

    Of several times the last: that they were back in a cell, or came in a period (of dormant ones, the one before). Of
    those who began or are lost, that they began; of a path, that it came to the node.
    """

    actor: str
    person_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class ActorsAnswer:
    """A page of actors, and how many rows there are altogether: as many as the number says."""

    actors: tuple[FoundActor, ...]
    total: int


@dataclass(frozen=True, slots=True)
class WalkEvent:
    """An event as the funnel saw it. `steps` that it matches; `served` is the one that it counted for."""

    timestamp: datetime
    event_name: str
    steps: tuple[int, ...]
    served: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class FunnelWalkAnswer:
    """One person in a funnel; `truncated` when they have more events than are told."""

    events: tuple[WalkEvent, ...]
    reached: int
    verdict: str
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class RetentionCell:
    """Actors who were back, and their share of the cohort. `open`: the period is not over."""

    actors: int
    share: float | None
    open: bool


@dataclass(frozen=True, slots=True)
class Cohort:
    """Actors who began in the same period; a cell for each period after it."""

    bucket: Bucket
    size: int
    cells: tuple[RetentionCell, ...]


@dataclass(frozen=True, slots=True)
class RetentionAnswer:
    """`periods` names the columns, `average` is over complete cells, weighted by cohort size."""

    periods: tuple[str, ...]
    cohorts: tuple[Cohort, ...]
    average: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PathNode:
    """A value in a column (0 is the anchor; before it columns count down). `value` None: missing."""

    column: int
    value: str | None
    count: int
    other: bool = False
    ended: int = 0


@dataclass(frozen=True, slots=True)
class PathLink:
    """From one node to another, by their places in `nodes`."""

    source: int
    target: int
    count: int


@dataclass(frozen=True, slots=True)
class PathsAnswer:
    """Steps that actors took, as nodes and the links between them."""

    paths: int
    nodes: tuple[PathNode, ...]
    links: tuple[PathLink, ...]


@dataclass(frozen=True, slots=True)
class LifecycleBucket:
    """Actors of one period."""

    bucket: Bucket
    new: int
    returning: int
    resurrecting: int
    dormant: int


@dataclass(frozen=True, slots=True)
class LifecycleAnswer:
    """Actors by period."""

    buckets: tuple[LifecycleBucket, ...]


@dataclass(frozen=True, slots=True)
class StickinessAnswer:
    """`actors[n]` came in exactly n + 1 periods of `periods`."""

    periods: int
    actors: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class IntervalsBucket:
    """Intervals that began in a bucket; `starts` and the rest as in the whole answer."""

    bucket: Bucket
    spread: Spread
    starts: int = 0
    unanswered: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class IntervalsGroup:
    """Intervals by the value that their start event, or their end event, has; the most starts first."""

    value: str | None
    spread: Spread
    other: bool = False
    starts: int = 0
    unanswered: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class IntervalsAnswer:
    """`starts` were counted; `unanswered` had no end in time, `open` may still get one."""

    spread: Spread
    starts: int
    unanswered: int
    open: int
    buckets: tuple[NumberBucket, ...] = ()
    trend: tuple[IntervalsBucket, ...] = ()
    groups: tuple[IntervalsGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class OutcomeCounts:
    """Attempts, and by name what became of them. `attempts` = outcomes + `none` + `open`."""

    attempts: int
    outcomes: Mapping[str, int]
    none: int
    open: int


@dataclass(frozen=True, slots=True)
class OutcomesBucket:
    """Attempts that began in a bucket."""

    bucket: Bucket
    counts: OutcomeCounts


@dataclass(frozen=True, slots=True)
class OutcomesGroup:
    """Attempts by the value that their start event has."""

    value: str | None
    counts: OutcomeCounts
    other: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: whose (`person_id` is None for actors that are not persons), and what became of it.

    `outcome` is the name of one, `none` or `open`; `came_at` is when an outcome first happened.
    """

    actor: str
    person_id: UUID | None
    started_at: datetime
    value: str | None
    outcome: str
    came_at: datetime | None


@dataclass(frozen=True, slots=True)
class OutcomesAnswer:
    """What became of attempts.

    `took`: seconds from the start of an attempt to its outcome, by outcome. `outside`: events that lie in no attempt,
    by outcome, where that was asked. `told` are the attempts that were to be told, `told_of` how many there are.
    """

    total: OutcomeCounts
    trend: tuple[OutcomesBucket, ...] = ()
    groups: tuple[OutcomesGroup, ...] = ()
    previous: OutcomeCounts | None = None
    took: Mapping[str, Spread] = field(default_factory=dict)
    previous_took: Mapping[str, Spread] = field(default_factory=dict)
    outside: Mapping[str, int] = field(default_factory=dict)
    previous_outside: Mapping[str, int] = field(default_factory=dict)
    told: tuple[Attempt, ...] = ()
    told_of: int = 0


@dataclass(frozen=True, slots=True)
class EventRow:
    """A stored event as analysts read it."""

    message_id: UUID
    timestamp: datetime
    received_at: datetime
    event_name: str
    event_type: str
    channel_type: str
    project_id: int
    person_id: UUID | None
    anonymous_id: UUID | None
    session_id: UUID | None
    user_id: str | None
    external_id: str | None
    page_path: str | None
    page_title: str | None
    referrer: str | None
    country_code: str | None
    city: str | None
    device_type: str | None
    os_name: str | None
    browser_name: str | None
    sdk_name: str | None
    sdk_version: str | None
    is_bot: bool
    journey_start: bool
    journey_end: bool
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventsAnswer:
    """A page of events; `next_cursor` leads to the next one."""

    events: tuple[EventRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class CataloguedProperty:
    """`types`: how many values were `text`, `number`, `flag`, `object`, `list` or `null`; `examples` as JSON text."""

    name: str
    count: int
    types: Mapping[str, int]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CataloguedEvent:
    """What is known of the events with one name. Its properties are those of so many of the newest (`sampled`)."""

    event_name: str
    count: int
    persons: int
    first_seen: datetime
    last_seen: datetime
    senders: Mapping[str, int]
    channels: Mapping[str, int]
    properties: tuple[CataloguedProperty, ...]
    sampled: int = 0


@dataclass(frozen=True, slots=True)
class CatalogueAnswer:
    """Every event name of the range, the most frequent first."""

    events: tuple[CataloguedEvent, ...]


Answer = (
    TimeseriesAnswer | BreakdownAnswer | DistributionAnswer | UniquesAnswer | FunnelAnswer | FunnelActorsAnswer
    | FunnelWalkAnswer | RetentionAnswer | PathsAnswer | LifecycleAnswer | StickinessAnswer | ActorsAnswer
    | IntervalsAnswer | OutcomesAnswer | EventsAnswer | CatalogueAnswer
)  # fmt: skip
