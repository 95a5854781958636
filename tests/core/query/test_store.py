"""The PostgreSQL store answers what evaluators make of plain rows, and its stamps differ where answers do."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from chatnation.core.query.answers import Answer
from chatnation.core.query.checks import question_of
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.frame import ArrayFrame, Need
from chatnation.core.query.model import (
    Breakdown,
    Distribution,
    Events,
    Filter,
    Funnel,
    FunnelActors,
    FunnelWalk,
    Intervals,
    Lifecycle,
    LifecycleActors,
    Measure,
    NamedSet,
    Outcome,
    Outcomes,
    Paths,
    PathsActors,
    PathStep,
    Query,
    Range,
    Retention,
    RetentionActors,
    Selection,
    Series,
    Step,
    Stickiness,
    StickinessActors,
    Tell,
    Timeseries,
    Uniques,
)
from chatnation.core.query.postgres import PostgresEventStore
from chatnation.core.query.reach import reach_of
from chatnation.core.query.store import QueryRefused
from chatnation.testing.apps import MakeApp
from tests.core.query.histories import PlainLoader
from tests.core.query.stored import BEGINNING, RECEIVED, History, start_history

pytestmark = pytest.mark.anyio

DAYS = Range(BEGINNING - timedelta(hours=21), BEGINNING + timedelta(days=2, hours=2), "Europe/Berlin")
PART = Range(BEGINNING, BEGINNING + timedelta(hours=9, minutes=5), "Africa/Nairobi")
VIEWS, FILINGS = Selection(("page_view",)), Selection(("filing_started", "filing_done"))
FUNNEL = Funnel(
    range=DAYS, steps=(Step("view", VIEWS), Step("file", FILINGS)), window=86_400, by="session.utm_source",
    granularity="day", compare=True,
)  # fmt: skip
RETENTION = Retention(range=DAYS, start=VIEWS, back=FILINGS, granularity="day", periods=3)
DAY = (BEGINNING + timedelta(days=1)).date().isoformat()
QUESTIONS: tuple[Query, ...] = (
    Timeseries(
        range=PART,
        series=(
            Series("rows"),
            Series("persons", VIEWS, Measure("persons")),
            Series("visits", measure=Measure("sessions")),
            Series("sum", measure=Measure("sum", "properties.x")),
        ),
        granularity="hour",
        by="device_type",
        compare=True,
    ),
    Timeseries(range=DAYS, series=(Series("new", FILINGS, Measure("new_persons")),), include_bots=True),
    Timeseries(
        range=DAYS,
        source="sessions",
        series=(
            Series("visits"),
            Series("people", measure=Measure("persons")),
            Series("long", measure=Measure("p90", "duration_seconds")),
        ),
        by="entry_page",
    ),
    Breakdown(range=DAYS, by=("person.county", "time.weekday"), series=(Series("p", measure=Measure("persons")),)),
    Breakdown(range=PART, by=("session.entry_page",), filters=(Filter("session.page_count", "gte", (1.0,)),)),
    Breakdown(range=DAYS, source="sessions", by=("person.age",), include_bots=True),
    Distribution(range=DAYS, field="properties.x"),
    Distribution(range=DAYS, source="sessions", field="duration_seconds"),
    Uniques(range=DAYS, sets=(NamedSet("v", VIEWS), NamedSet("f", FILINGS)), actor="session"),
    Uniques(range=PART, sets=(NamedSet("all", Selection()),), actor="properties.kind"),
    FUNNEL,
    FunnelActors(funnel=FUNNEL, outcome="reached"),
    FunnelWalk(funnel=replace(FUNNEL, by=None), person_id=UUID(int=0)),
    RETENTION,
    RetentionActors(retention=RETENTION, column=1, outcome="lost"),
    Retention(range=PART, granularity="hour", periods=3, first_time=False, actor="session"),
    Paths(range=DAYS, start=VIEWS),
    PathsActors(paths=Paths(range=DAYS, start=VIEWS), at=PathStep(0, "page_view")),
    Lifecycle(range=PART, granularity="day"),
    LifecycleActors(lifecycle=Lifecycle(range=DAYS, granularity="day"), bucket=DAY, state="new"),
    Stickiness(range=DAYS),
    StickinessActors(stickiness=Stickiness(range=DAYS), periods=1),
    Intervals(range=PART, start=VIEWS, end=FILINGS, starts="first", by="device_type"),
    Outcomes(range=PART, start=VIEWS, outcomes=(Outcome("filed", FILINGS),), by="person.county", compare=True),
    Outcomes(
        range=PART,
        start=VIEWS,
        outcomes=(Outcome("filed", FILINGS),),
        grace=1800,
        outside=True,
        compare=True,
        where=(Filter("country_code", "is", ("KE",)),),
        tell=Tell(),
    ),
)


@dataclass
class WatchedLoader:
    """A loader that fails where somebody asks for more time than the question reaches."""

    loader: PlainLoader
    query: Query

    async def load(
        self, start: datetime | None, end: datetime | None, need: Need, events: Collection[str] = ()
    ) -> ArrayFrame:
        low, high = reach_of(self.query)
        assert low is None or (start is not None and start >= low)
        assert high is None or (end is not None and end <= high)
        return await self.loader.load(start, end, need, events)


@pytest.mark.parametrize("seed", range(3))
async def test_answers_are_those_about_plain_rows_and_stamps_tell_when_they_change(
    make_app: MakeApp, seed: int
) -> None:
    history = await start_history(make_app, Random(seed))
    store = PostgresEventStore(history.app)
    known: dict[tuple[int, Hashable], Answer] = {}
    for _ in range(7):
        for _ in range(history.random.randrange(1, 8)):
            await history.step()
        await history.build_sometimes()
        events = PlainLoader([row.plain for row in await history.events()])
        sessions = PlainLoader([row.plain_session for row in await history.sessions()])
        for number, query in enumerate(await with_a_person(history)):
            plain = WatchedLoader(sessions if question_of(query).source == "sessions" else events, query)
            stamp = await store.stamp(history.tenant_id, query)
            found = await store.answer(history.tenant_id, query, RECEIVED)
            assert found == await evaluate(query, plain, RECEIVED), query
            assert await store.stamp(history.tenant_id, query) == stamp
            if not isinstance(query, FunnelWalk):
                assert known.setdefault((number, stamp), found) == found, query


async def with_a_person(history: History) -> list[Query]:
    """The questions, those about one person about somebody who is there."""
    persons = [row.columns["person_id"] for row in await history.events() if row.columns["person_id"]]
    return [
        replace(query, person_id=persons[0]) if persons and isinstance(query, FunnelWalk) else query
        for query in QUESTIONS
    ]


async def test_questions_at_the_same_time_get_the_same_answers(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(4))
    for _ in range(10):
        await history.step()
    fresh = PostgresEventStore(history.app)
    together = await asyncio.gather(*(fresh.answer(history.tenant_id, query, RECEIVED) for query in QUESTIONS[:8]))
    alone = PostgresEventStore(history.app)
    assert together == [await alone.answer(history.tenant_id, query, RECEIVED) for query in QUESTIONS[:8]]


async def test_a_stamp_stays_when_something_else_happens(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(1))
    store = PostgresEventStore(history.app)
    past = Breakdown(range=Range(BEGINNING - timedelta(days=30), BEGINNING - timedelta(days=10)), by=("event_name",))
    before = await store.stamp(history.tenant_id, past)
    await history.send()
    assert await store.stamp(history.tenant_id, replace(past, range=DAYS)) != await store.stamp(
        history.tenant_id, replace(past, range=Range(BEGINNING + timedelta(days=9), BEGINNING + timedelta(days=10)))
    )
    without_merges = list(before)  # type: ignore[call-overload]
    after = list(await store.stamp(history.tenant_id, past))  # type: ignore[call-overload]
    assert [one == other for one, other in zip(without_merges, after, strict=True)].count(False) <= 1


async def test_other_tenants_are_neither_seen_nor_kept_in_mind(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(2))
    store = PostgresEventStore(history.app)
    other = await history.intake.running.source()
    await history.send()
    for query in QUESTIONS:
        await store.answer(history.tenant_id, query, RECEIVED)
        empty = WatchedLoader(PlainLoader([]), query)
        assert await store.answer(other.tenant.id, query, RECEIVED) == await evaluate(query, empty, RECEIVED)


async def test_a_field_that_there_is_not_is_refused(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(3))
    store = PostgresEventStore(history.app)
    for query in (
        Breakdown(range=DAYS, by=("nonsense",)),
        Uniques(range=DAYS, sets=(NamedSet("all", Selection()),), actor="nonsense"),
        Events(range=DAYS, filters=(Filter("nonsense", "is_set"),)),
        Events(range=DAYS, filters=(Filter("event_name", "is"),)),
    ):
        with pytest.raises(QueryRefused):
            await store.answer(history.tenant_id, query, RECEIVED)
