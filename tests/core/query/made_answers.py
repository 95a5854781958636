"""A question of each kind, and an answer to it in which nothing is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chatnation.query import (
    ActorsAnswer,
    Answer,
    Attempt,
    Breakdown,
    BreakdownAnswer,
    BreakdownRow,
    Bucket,
    Catalogue,
    CatalogueAnswer,
    CataloguedEvent,
    CataloguedProperty,
    Cohort,
    Combination,
    Distribution,
    DistributionAnswer,
    EventRow,
    Events,
    EventsAnswer,
    FoundActor,
    Funnel,
    FunnelActor,
    FunnelActors,
    FunnelActorsAnswer,
    FunnelAnswer,
    FunnelBucket,
    FunnelGroup,
    FunnelStep,
    FunnelWalk,
    FunnelWalkAnswer,
    Intervals,
    IntervalsAnswer,
    IntervalsBucket,
    IntervalsGroup,
    Lifecycle,
    LifecycleActors,
    LifecycleAnswer,
    LifecycleBucket,
    Line,
    NamedSet,
    NumberBucket,
    Outcome,
    OutcomeCounts,
    Outcomes,
    OutcomesAnswer,
    OutcomesBucket,
    OutcomesGroup,
    PathLink,
    PathNode,
    Paths,
    PathsActors,
    PathsAnswer,
    PathStep,
    Query,
    Range,
    Retention,
    RetentionActors,
    RetentionAnswer,
    RetentionCell,
    Selection,
    Series,
    Spread,
    Step,
    Stickiness,
    StickinessActors,
    StickinessAnswer,
    Tell,
    Timeseries,
    TimeseriesAnswer,
    Uniques,
    UniquesAnswer,
    WalkEvent,
)

FIRST, SECOND, THIRD = (datetime(2025, 6, day, tzinfo=UTC) for day in (1, 2, 3))
RANGE = Range(FIRST, THIRD)
BUCKETS = (Bucket(FIRST, SECOND, "2025-06-01"), Bucket(SECOND, THIRD, "2025-06-02", complete=False))
PERSON = UUID(int=7)
SPREAD = Spread(3, 2.0, 1.0, 3.0, 2.0, 2.5, 2.8, 2.9, 2.98)
NUMBERS = (NumberBucket(0, 2, 1, 1.0), NumberBucket(2, None, 2, 2.5))
A, B = Selection(("a",)), Selection(("b",))
FUNNEL = Funnel(range=RANGE, steps=(Step("start", A), Step("end", B)), by="city", granularity="day", compare=True)
STEPS = (FunnelStep("start", 4, 1.0, None, 2, 0), FunnelStep("end", 2, 0.5, 0.5, 0, 0, 0.15, 0.85, SPREAD, SPREAD))
ACTORS = ActorsAnswer((FoundActor(str(PERSON), PERSON, FIRST), FoundActor("a visit", None, SECOND)), 2)
COUNTS = OutcomeCounts(3, {"solved": 1}, 1, 1)
EVENT = EventRow(
    message_id=UUID(int=1), timestamp=FIRST, received_at=SECOND, event_name="=paid", event_type="track",
    channel_type="web", project_id=1, person_id=PERSON, anonymous_id=UUID(int=2), session_id=None, user_id="u",
    external_id=None, page_path="/", page_title=None, referrer=None, country_code="KE", city=None, device_type=None,
    os_name=None, browser_name=None, sdk_name=None, sdk_version=None, is_bot=False, journey_start=True,
    journey_end=False, properties={"amount": 4},
)  # fmt: skip

QUESTIONS: list[Query] = [
    Timeseries(range=RANGE, series=(Series("=visits"),), compare=True),
    Breakdown(range=RANGE, by=("country_code", "city"), compare=True),
    Distribution(range=RANGE, field="properties.amount"),
    Uniques(range=RANGE, sets=(NamedSet("web", A), NamedSet("bot", B))),
    FUNNEL,
    FunnelActors(funnel=FUNNEL),
    FunnelWalk(funnel=FUNNEL, person_id=PERSON),
    Retention(range=RANGE, granularity="day", periods=2),
    RetentionActors(retention=Retention(range=RANGE, granularity="day"), cohort="2025-06-01", column=1),
    Paths(range=RANGE),
    PathsActors(paths=Paths(range=RANGE), at=PathStep(0, "a"), to=PathStep(1, other=True)),
    Lifecycle(range=RANGE),
    LifecycleActors(lifecycle=Lifecycle(range=RANGE, granularity="day"), bucket="2025-06-01", state="new"),
    Stickiness(range=RANGE),
    StickinessActors(stickiness=Stickiness(range=RANGE), periods=1),
    Intervals(range=RANGE, start=A, end=B, by="city"),
    Outcomes(range=RANGE, start=A, outcomes=(Outcome("solved", B),), by="city", outside=True, tell=Tell()),
    Events(range=RANGE),
    Catalogue(range=RANGE),
]

ANSWERS: dict[type[Any], Answer] = {
    Timeseries: TimeseriesAnswer(
        BUCKETS, (Line("=visits", (1.0, None), 1.0),), BUCKETS, (Line("=visits", (2.0, 3.0), 5.0),)
    ),
    Breakdown: BreakdownAnswer(
        ("count",),
        (BreakdownRow(("KE", None), (3.0,), (2.0,)),),
        BreakdownRow((), (1.0,), None),
        BreakdownRow((), (4.0,), (2.0,)),
        {"properties.amount": 1},
    ),
    Distribution: DistributionAnswer(SPREAD, NUMBERS, {"properties.amount": 1}),
    Uniques: UniquesAnswer({"web": 3, "bot": 2}, (Combination(("web",), 2), Combination(("web", "bot"), 1)), 3),
    Funnel: FunnelAnswer(
        STEPS,
        0.5,
        NUMBERS,
        (FunnelGroup("Nairobi", (3, 2), 0.67, significant=True), FunnelGroup(None, (1, 0), 0.0, other=True)),
        (FunnelBucket(BUCKETS[0], 4, 2, 0, 0.5, mature=True),),
        FunnelAnswer(STEPS, 0.5),
    ),
    FunnelActors: FunnelActorsAnswer((FunnelActor(str(PERSON), PERSON, FIRST, SECOND, 1),), 1),
    FunnelWalk: FunnelWalkAnswer((WalkEvent(FIRST, "a", (0, 1), 0), WalkEvent(SECOND, "c", (), None, "none")), 1, "."),
    Retention: RetentionAnswer(
        ("0", "1", "2"),
        (
            Cohort(BUCKETS[0], 4, tuple(RetentionCell(count, count / 4, open=False) for count in (4, 2, 1))),
            Cohort(BUCKETS[1], 2, (RetentionCell(2, 1.0, open=True),)),
        ),
        (1.0, 0.5, None),
    ),
    RetentionActors: ACTORS,
    PathsActors: ACTORS,
    LifecycleActors: ACTORS,
    StickinessActors: ACTORS,
    Paths: PathsAnswer(3, (PathNode(0, "a", 3), PathNode(1, None, 1, other=True, ended=1)), (PathLink(0, 1, 1),)),
    Lifecycle: LifecycleAnswer((LifecycleBucket(BUCKETS[0], 1, 2, 3, 4),)),
    Stickiness: StickinessAnswer(2, (3, 1), 4),
    Intervals: IntervalsAnswer(
        SPREAD, 5, 1, 1, NUMBERS, (IntervalsBucket(BUCKETS[0], SPREAD),), (IntervalsGroup("Nairobi", SPREAD),)
    ),
    Outcomes: OutcomesAnswer(
        COUNTS,
        (OutcomesBucket(BUCKETS[0], COUNTS),),
        (OutcomesGroup(None, COUNTS, other=True),),
        COUNTS,
        {"solved": SPREAD},
        {"solved": SPREAD},
        {"solved": 1},
        {"solved": 0},
        (Attempt(str(PERSON), PERSON, FIRST, "Nairobi", "solved", SECOND),),
        1,
    ),
    Events: EventsAnswer((EVENT,), None),
    Catalogue: CatalogueAnswer(
        (
            CataloguedEvent(
                "a", 3, 2, FIRST, SECOND, {"web": 3}, {"web": 3}, (CataloguedProperty("n", 3, {"number": 3}, ("1",)),)
            ),
        )
    ),
}  # fmt: skip
