"""Questions about events, as data: what is asked, in terms of the product, never how it is found out.

Every class is frozen and can be read from JSON and written to it (`wire.py`); `kind` tells them apart there. A question
is about the half-open stretch of time of its `range`. Unless it says `include_bots`, known bots are left out. Persons
are whoever the evidence joins at the moment of asking.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field as About

Scalar = str | float | bool
Source = Literal["events", "sessions"]
Granularity = Literal["hour", "day", "week", "month"]
LifecycleState = Literal["new", "returning", "resurrecting", "dormant"]
Operator = Literal[
    "is", "is_not", "contains", "not_contains", "starts_with", "ends_with", "matches", "is_set", "is_not_set",
    "gt", "gte", "lt", "lte", "between",
]  # fmt: skip
MeasureKind = Literal[
    "count", "persons", "new_persons", "sessions", "distinct",
    "sum", "avg", "min", "max", "p50", "p75", "p90", "p95", "p99",
]  # fmt: skip

DAY = 86_400
"""Seconds."""

Name = Annotated[str, About(min_length=1, max_length=100)]
FieldName = Annotated[str, About(min_length=1, max_length=200, description="Such as `properties.amount`.")]
ActorName = Annotated[
    str, About(max_length=200, description="`person`, `session`, or a field whose every value is an actor of its own.")
]
Label = Annotated[str, About(max_length=40, description="The label of a bucket of the answer, such as `2025-03-03`.")]


@dataclass(frozen=True, slots=True)
class Range:
    """From `start` up to, not including, `end`, both with an offset; days and weeks are those of `timezone`."""

    start: datetime
    end: datetime
    timezone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def previous(self) -> Range:
        """The equally long stretch just before. Of whole local days it has as many, also where the clocks change."""
        start, end = self.start.astimezone(self.zone), self.end.astimezone(self.zone)
        if start.time() == end.time() == time():
            days = (end.date() - start.date()).days
            before = datetime.combine(start.date() - timedelta(days=days), time(), self.zone)
        else:
            before = datetime.fromtimestamp(2 * start.timestamp() - end.timestamp(), self.zone)
        return Range(before, self.start, self.timezone)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on one field; what has no usable value matches `is_not`, `not_contains` and `is_not_set` only.

    Of several `values` one has to match (with `is_not` and `not_contains`: none). Texts are compared as they are, but
    `contains`, `not_contains`, `starts_with` and `ends_with` without regard to case. `matches` is a pattern of the
    whole text in which `*` stands for anything. A number equals its text. The ordering operators take numbers, or texts
    that are numbers; `between` takes two and includes both.
    """

    field: FieldName
    operator: Operator = "is"
    values: Annotated[tuple[Scalar, ...], About(max_length=500)] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the conditions has to match."""

    any_of: Annotated[tuple[Filter, ...], About(min_length=1, max_length=50)]


Condition = Filter | AnyOf
Conditions = Annotated[tuple[Condition, ...], About(max_length=50)]


@dataclass(frozen=True, slots=True)
class First:
    """Of the rows with a selection's names that meet `among`, the first ever of each actor; with `later` all others.

    It looks at all of time, whatever the range and the filters are; only bots are left out as in the whole question. A
    row of nobody known is a first.
    """

    per: ActorName
    among: Conditions = ()
    later: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Events with one of the names (without any: every event) that meet all the conditions. Of sessions: no names.

    With `first`, only those of them that are the first of their actor.
    """

    events: Annotated[tuple[str, ...], About(max_length=100)] = ()
    filters: Conditions = ()
    first: First | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is told of some rows.

    `count` of rows; different `persons`, `sessions` (visits), or values of a field (`distinct`); `new_persons`: those
    whose first row ever, of this selection, is among them; or of the numbers of a field their sum, mean, extremes and
    percentiles (linear between the two nearest ranks). Values that are no numbers are left out, and counted as
    unusable.
    """

    kind: MeasureKind = "count"
    field: FieldName | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """A measure of some events, with the name by which answers and formulas call it."""

    name: Name
    select: Selection = Selection()
    measure: Measure = Measure()


@dataclass(frozen=True, slots=True)
class Formula:
    """Arithmetic over series: their names in braces, numbers, + - * / and parentheses, as in `100 * {read} / {sent}`.

    A division by zero has no value.
    """

    name: Name
    expression: Annotated[str, About(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What all questions have: the time, what kind of rows they are about, conditions on all of these."""

    range: Range
    source: Source = "events"
    filters: Conditions = ()
    include_bots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeseries(Question):
    """Measures by hour, day, week or month; every bucket of the range is in the answer.

    `by` adds a line for each of the `limit` most frequent values of a field, and one for all others. With `compare`
    the range before is answered too.
    """

    kind: Literal["timeseries"] = "timeseries"
    series: Annotated[tuple[Series, ...], About(min_length=1, max_length=20)]
    formulas: Annotated[tuple[Formula, ...], About(max_length=10)] = ()
    granularity: Granularity = "day"
    by: FieldName | None = None
    limit: Annotated[int, About(ge=1, le=50)] = 10
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown(Question):
    """Measures by the values of one or two fields, ordered by the first series, the greatest first.

    What is beyond `limit` is in one row, "other", so that counts and sums add up to the total. Of different persons the
    same one may be in several rows.
    """

    kind: Literal["breakdown"] = "breakdown"
    series: Annotated[tuple[Series, ...], About(min_length=1, max_length=20)] = (Series("count"),)
    formulas: Annotated[tuple[Formula, ...], About(max_length=10)] = ()
    by: Annotated[tuple[FieldName, ...], About(min_length=1, max_length=2)]
    limit: Annotated[int, About(ge=1, le=10_000)] = 20
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution(Question):
    """How the numbers of a field are spread, or with `per` instead: how many rows each actor has in the range.

    Buckets include their lower edge; the last one has no upper bound. Without `edges`, ten equally wide buckets between
    the least and the greatest value.
    """

    kind: Literal["distribution"] = "distribution"
    select: Selection = Selection()
    field: FieldName | None = None
    per: ActorName | None = None
    edges: Annotated[tuple[float, ...], About(max_length=100)] = ()


@dataclass(frozen=True, slots=True)
class NamedSet:
    """The actors with a row of the selection."""

    name: Name
    select: Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniques(Question):
    """How many different actors are in each set, and in each combination of sets."""

    kind: Literal["uniques"] = "uniques"
    sets: Annotated[tuple[NamedSet, ...], About(min_length=1, max_length=8)]
    actor: ActorName = "person"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a funnel. `within`: seconds that it may come after the step before, besides the funnel's window.

    An optional step is told as a branch: passing it by does not end a chain.
    """

    name: Name
    select: Selection
    within: Annotated[float, About(gt=0)] | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Events that must not lie between step `after` (the first is 0) and the next step; one ends the chain there."""

    select: Selection
    after: Annotated[int, About(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel(Question):
    """How many actors go through steps, one after the other; `docs/explanation/funnels.md` has the exact rule.

    `window`: seconds from step 1 in which the rest has to happen. `order`: other events may lie between steps
    (`ordered`), no event that matches any step (`strict`), or any order of the steps (`any`, where the first and last
    may be anchored). `constant`: fields in whose values all steps agree. `entry`: of an actor's entries the one that
    comes furthest (`best`), the earliest (`first`), or each (`totals`). `journey_flags`: step 1 needs a journey start,
    the last step a journey end. `by` is a field of the event that `attribution` names: of step 1, of the last step
    reached, of step `attribution_step`, or of the first step with a value. `granularity` adds a trend by the time of
    entry.
    """

    kind: Literal["funnel"] = "funnel"
    steps: Annotated[tuple[Step, ...], About(min_length=1, max_length=20)]
    window: Annotated[float, About(gt=0, le=90 * DAY)] = 7 * DAY
    order: Literal["ordered", "strict", "any"] = "ordered"
    anchor_first: bool = True
    anchor_last: bool = False
    exclusions: Annotated[tuple[Exclusion, ...], About(max_length=10)] = ()
    constant: Annotated[tuple[FieldName, ...], About(max_length=5)] = ()
    entry: Literal["best", "first", "totals"] = "best"
    journey_flags: bool = False
    actor: ActorName = "person"
    by: FieldName | None = None
    attribution: Literal["first", "last", "step", "any"] = "first"
    attribution_step: Annotated[int, About(ge=0)] = 0
    limit: Annotated[int, About(ge=1, le=50)] = 10
    granularity: Granularity | None = None
    compare: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of those who are behind a number of another question, the latest first."""

    limit: Annotated[int, About(ge=1, le=10_000)] = 50
    offset: Annotated[int, About(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelActors(Listing):
    """Who came to `step` of a funnel (the first is 0), who dropped off there, or who may still go on.

    `reached` got that far or further; `dropped` got exactly that far and their window is over; `open` got exactly that
    far and it is not. `value` narrows to a row of the breakdown, `missing` to that of those without a value, `other` to
    that of the values beyond the limit.
    """

    kind: Literal["funnel_actors"] = "funnel_actors"
    funnel: Funnel
    step: Annotated[int, About(ge=0)] = 0
    outcome: Literal["reached", "dropped", "open"] = "dropped"
    value: str | None = None
    missing: bool = False
    other: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelWalk:
    """One person's events as the funnel saw them: which step each served, and why a chain ended."""

    kind: Literal["funnel_walk"] = "funnel_walk"
    funnel: Funnel
    person_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention(Question):
    """Of the actors who did `start` in a period, how many did `back` in the same and in later ones.

    `rule`: in that very period (`on`), in it or any later one (`on_or_after`), or in a bracket of periods whose first
    periods are `brackets`. `first_time`: an actor is in the cohort of their first `start` ever; else in each in which
    they did it.
    """

    kind: Literal["retention"] = "retention"
    start: Selection = Selection()
    back: Selection = Selection()
    granularity: Granularity = "week"
    periods: Annotated[int, About(ge=1, le=60)] = 8
    rule: Literal["on", "on_or_after", "bracket"] = "on"
    brackets: Annotated[tuple[int, ...], About(max_length=20)] = ()
    first_time: bool = True
    actor: ActorName = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionActors(Listing):
    """Who is behind a cell of retention.

    `began` are all of a cohort, `back` those of them who were back in `column` (the first is 0), `lost` those who were
    not. Without `cohort`, those of all cohorts: who began, or whose cell is not open, as in the average.
    """

    kind: Literal["retention_actors"] = "retention_actors"
    retention: Retention
    cohort: Label | None = None
    column: Annotated[int, About(ge=0)] = 0
    outcome: Literal["began", "back", "lost"] = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths(Question):
    """What actors did next (`after` a `start` event), just before (an `end` event), or between the two.

    Steps are values of `node`, repetitions of one put together if `collapse`. A path ends with a pause of more than
    `gap` seconds. Each column keeps its `nodes` most frequent values; the rest is "other".
    """

    kind: Literal["paths"] = "paths"
    select: Selection = Selection()
    node: FieldName = "event_name"
    start: Selection | None = None
    end: Selection | None = None
    depth: Annotated[int, About(ge=2, le=12)] = 5
    nodes: Annotated[int, About(ge=1, le=30)] = 8
    collapse: bool = True
    gap: Annotated[float, About(gt=0)] = 1800
    actor: ActorName = "person"


@dataclass(frozen=True, slots=True)
class PathStep:
    """A node of paths: a value (None: missing) in a column, or with `other` all those beyond the limit."""

    column: int
    value: str | None = None
    other: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PathsActors(Listing):
    """The paths that come to a node, or with `to` that go on from it to a node of the next column; one a row."""

    kind: Literal["paths_actors"] = "paths_actors"
    paths: Paths
    at: PathStep
    to: PathStep | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle(Question):
    """Actors of each period: new ever, returning from the period before, resurrecting after a pause, and dormant.

    Dormant are those who came in the period before and not in this one.
    """

    kind: Literal["lifecycle"] = "lifecycle"
    select: Selection = Selection()
    granularity: Granularity = "week"
    actor: ActorName = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleActors(Listing):
    """The actors of a period who are new, returning, resurrecting or dormant."""

    kind: Literal["lifecycle_actors"] = "lifecycle_actors"
    lifecycle: Lifecycle
    bucket: Label
    state: LifecycleState


@dataclass(frozen=True, slots=True, kw_only=True)
class Stickiness(Question):
    """On how many different periods of the range each actor came."""

    kind: Literal["stickiness"] = "stickiness"
    select: Selection = Selection()
    granularity: Granularity = "day"
    actor: ActorName = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class StickinessActors(Listing):
    """Who came in exactly so many periods."""

    kind: Literal["stickiness_actors"] = "stickiness_actors"
    stickiness: Stickiness
    periods: Annotated[int, About(ge=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals(Question):
    """Time from an event to the next `end` event of the same actor, at most `within` seconds later.

    `starts`: every `start` event of the range counts, or only the first of several without an `end` between them. The
    end may lie after the range. Buckets in seconds, as in `Distribution`. The value of `by` is that of the start event,
    or of the `end` event, as `attribution` says; then what has no end is in no group.
    """

    kind: Literal["intervals"] = "intervals"
    start: Selection
    end: Selection
    within: Annotated[float, About(gt=0, le=90 * DAY)] = DAY
    starts: Literal["every", "first"] = "every"
    actor: ActorName = "person"
    edges: Annotated[tuple[float, ...], About(max_length=100)] = ()
    granularity: Granularity | None = None
    by: FieldName | None = None
    attribution: Literal["start", "end"] = "start"
    limit: Annotated[int, About(ge=1, le=50)] = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """A way in which an attempt may end."""

    name: Name
    select: Selection


@dataclass(frozen=True, slots=True)
class Tell:
    """Which attempts to tell one by one, the latest first.

    `outcomes` are names of outcomes, `none` and `open`; without any, whatever became of them. `value` narrows to a row
    of the breakdown.
    """

    outcomes: Annotated[tuple[Name, ...], About(max_length=10)] = ()
    value: str | None = None
    limit: Annotated[int, About(ge=1, le=10_000)] = 50
    offset: Annotated[int, About(ge=0)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes(Question):
    """What became of attempts: each `start` event of the range begins one of its actor.

    An attempt lasts until the actor's next `start`, or `window` seconds, and has the first listed of the `outcomes`
    that happens in it. One without any is `open` while the window is not over, and then `none`; with `grace`, only
    while besides less than so many seconds have passed since the actor's last event, of whatever kind, in the attempt.
    Counted are the attempts whose start event meets `where`, and their value of `by` is that of their start event.
    `outside` also counts the events of the range, meeting `where`, that match an outcome and lie in no attempt. `tell`
    names attempts one by one.
    """

    kind: Literal["outcomes"] = "outcomes"
    start: Selection
    outcomes: Annotated[tuple[Outcome, ...], About(min_length=1, max_length=8)]
    window: Annotated[float, About(gt=0, le=90 * DAY)] = DAY
    grace: Annotated[float, About(gt=0)] | None = None
    where: Conditions = ()
    outside: bool = False
    actor: ActorName = "person"
    granularity: Granularity | None = None
    by: FieldName | None = None
    limit: Annotated[int, About(ge=1, le=1000)] = 20
    compare: bool = False
    tell: Tell | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(Question):
    """The events themselves, newest first, a page at a time. `person_id` narrows to one person, with all their ids."""

    kind: Literal["events"] = "events"
    select: Selection = Selection()
    person_id: UUID | None = None
    oldest_first: bool = False
    limit: Annotated[int, About(ge=1, le=10_000)] = 50
    after: Annotated[str, About(max_length=200)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue(Question):
    """Which events there are in the range: names, volumes, senders, first and last time, properties with types.

    With `event_name`, only that one, and more examples of its properties.
    """

    kind: Literal["catalogue"] = "catalogue"
    event_name: str | None = None
    limit: Annotated[int, About(ge=1, le=2_000)] = 500


ActorsQuery = RetentionActors | PathsActors | LifecycleActors | StickinessActors
"""Any question that is answered with actors and when they did what puts them there."""

Query = Annotated[
    Timeseries | Breakdown | Distribution | Uniques | Funnel | FunnelActors | FunnelWalk | Retention | RetentionActors
    | Paths | PathsActors | Lifecycle | LifecycleActors | Stickiness | StickinessActors | Intervals | Outcomes | Events
    | Catalogue,
    About(discriminator="kind"),
]  # fmt: skip
"""Any question."""
