"""The service that answers questions: what it remembers, what it shares, and what it does not allow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatnation.core.errors import Problem
from chatnation.core.query.cache import Cache
from chatnation.core.query.checks import check
from chatnation.core.query.openness import moment_of
from chatnation.core.query.runner import Limits, QueryRunner
from chatnation.query import (
    Analytics,
    Catalogue,
    CatalogueAnswer,
    Filter,
    Funnel,
    FunnelActors,
    Paths,
    Query,
    QueryRefused,
    Range,
    Retention,
    RetentionActors,
    Selection,
    Series,
    Step,
    Timeseries,
    Uniques,
)
from chatnation.testing.clock import FakeClock
from tests.core.query.second_engine import FixedStore, unknown_field

NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)
JUNE = Range(datetime(2025, 6, 1, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC))
LAST_YEAR = Range(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC))
ASKED = Catalogue(range=JUNE)
VISITS = Timeseries(range=JUNE, series=(Series("visits"),))
FUNNEL = Funnel(range=JUNE, steps=(Step("start", Selection(("page_view",))),))

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def store() -> FixedStore:
    return FixedStore({Catalogue: lambda query, now: CatalogueAnswer(()), Timeseries: CatalogueAnswer(())})


@pytest.fixture
def runner(store: FixedStore, clock: FakeClock) -> QueryRunner:
    return QueryRunner(lambda: store, clock, Limits(concurrency=2, timeout=60, patience=0.01))


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until something is so."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_an_answer_is_kept_until_the_stamp_changes(runner: QueryRunner, store: FixedStore) -> None:
    first = await runner.ask(1, ASKED)
    assert await runner.ask(1, Catalogue(range=JUNE)) is first
    store.stamps[1] = 1
    assert await runner.ask(1, ASKED) is not first
    assert len(store.asked) == 2


async def test_a_tenant_never_gets_the_answer_of_another(runner: QueryRunner, store: FixedStore) -> None:
    assert await runner.ask(1, ASKED) is not await runner.ask(2, ASKED)
    assert [tenant for tenant, _ in store.asked] == [1, 2]
    assert (await runner.find(1, ASKED)).tag != (await runner.find(2, ASKED)).tag


async def test_tenants_do_not_share_work_that_is_under_way_either(runner: QueryRunner, store: FixedStore) -> None:
    store.gate.clear()
    asking = [asyncio.create_task(runner.ask(tenant, ASKED)) for tenant in (1, 2)]
    await until(lambda: store.at_work == 2)
    store.gate.set()
    first, second = await asyncio.gather(*asking)
    assert first is not second


async def test_one_and_true_are_different_values_to_ask_for(runner: QueryRunner, store: FixedStore) -> None:
    number, flag = (Catalogue(range=JUNE, filters=(Filter("properties.paid", values=(value,)),)) for value in (1, True))
    assert number == flag, "to Python they are equal"
    assert await runner.ask(1, number) is not await runner.ask(1, flag)
    assert len(store.asked) == 2


async def test_who_asks_the_same_at_the_same_time_shares_one_answer(runner: QueryRunner, store: FixedStore) -> None:
    store.gate.clear()
    asking = [asyncio.create_task(runner.ask(1, ASKED)) for _ in range(10)]
    await until(lambda: store.at_work > 0)
    store.gate.set()
    answers = await asyncio.gather(*asking)
    assert len(store.asked) == 1
    assert all(answer is answers[0] for answer in answers)


async def test_what_changed_since_is_not_answered_by_work_that_began_before(
    runner: QueryRunner, store: FixedStore
) -> None:
    store.gate.clear()
    before = asyncio.create_task(runner.ask(1, ASKED))
    await until(lambda: store.at_work == 1)
    store.stamps[1] = 1
    after = asyncio.create_task(runner.ask(1, ASKED))
    await until(lambda: store.at_work == 2)
    store.gate.set()
    assert await before is not await after


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(runner: QueryRunner, store: FixedStore) -> None:
    store.gate.clear()
    staying, leaving = (asyncio.create_task(runner.ask(1, ASKED)) for _ in range(2))
    await until(lambda: store.at_work == 1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    store.gate.set()
    assert await staying == CatalogueAnswer(())
    assert store.given_up == 0


async def test_the_work_ends_when_nobody_waits_for_it_any_more(runner: QueryRunner, store: FixedStore) -> None:
    store.gate.clear()
    asking = [asyncio.create_task(runner.ask(1, ASKED)) for _ in range(2)]
    await until(lambda: store.at_work == 1)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await until(lambda: store.given_up == 1)
    store.gate.set()
    assert await runner.ask(1, ASKED) == CatalogueAnswer(()), "the next one starts anew"


async def test_a_question_that_takes_too_long_is_given_up(store: FixedStore, clock: FakeClock) -> None:
    runner = QueryRunner(lambda: store, clock, Limits(concurrency=1, timeout=0.01))
    store.gate.clear()
    with pytest.raises(Problem) as raised:
        await runner.ask(1, ASKED)
    assert (raised.value.status, raised.value.code) == (504, "query_timeout")
    assert store.given_up == 1
    store.gate.set()
    assert await runner.ask(1, ASKED) == CatalogueAnswer(()), "its slot is free again"


async def test_a_time_limit_of_the_store_s_own_is_not_taken_for_ours(clock: FakeClock) -> None:
    def out_of_time(query: object, now: datetime) -> CatalogueAnswer:
        raise TimeoutError("the database's")

    runner = QueryRunner(lambda: FixedStore({Catalogue: out_of_time}), clock)
    with pytest.raises(TimeoutError, match="the database's"):
        await runner.ask(1, ASKED)


async def test_a_tenant_that_asks_too_much_at_once_is_told_when_to_come_again(
    runner: QueryRunner, store: FixedStore
) -> None:
    store.gate.clear()
    asking = [asyncio.create_task(runner.ask(1, replace(ASKED, limit=limit))) for limit in (1, 2)]
    await until(lambda: store.at_work == 2)
    with pytest.raises(Problem) as raised:
        await runner.ask(1, replace(ASKED, limit=3))
    assert (raised.value.status, raised.value.code) == (429, "too_many_queries")
    assert int(raised.value.headers["Retry-After"]) >= 1
    other = asyncio.create_task(runner.ask(2, ASKED))
    await until(lambda: store.at_work == 3)
    store.gate.set()
    await asyncio.gather(*asking, other)
    assert await runner.ask(1, replace(ASKED, limit=3)) == CatalogueAnswer(())


async def test_tenants_together_leave_room_for_everything_else(store: FixedStore, clock: FakeClock) -> None:
    runner = QueryRunner(lambda: store, clock, Limits(concurrency=2, together=3, patience=0.01))
    store.gate.clear()
    asking = [asyncio.create_task(runner.ask(tenant, ASKED)) for tenant in (1, 2, 3)]
    await until(lambda: store.at_work == 3)
    with pytest.raises(Problem) as raised:
        await runner.ask(4, ASKED)
    assert (raised.value.status, raised.value.code) == (503, "busy")
    assert int(raised.value.headers["Retry-After"]) >= 1
    store.gate.set()
    await asyncio.gather(*asking)
    assert await runner.ask(4, ASKED) == CatalogueAnswer(())


async def test_the_questions_of_one_page_wait_for_each_other_and_keep_their_order(clock: FakeClock) -> None:
    def limit_of(query: Catalogue, now: datetime) -> CatalogueAnswer:
        return CatalogueAnswer((query.limit,))  # type: ignore[arg-type]

    store = FixedStore({Catalogue: limit_of})
    runner = QueryRunner(lambda: store, clock, Limits(concurrency=2, patience=0.0))
    store.gate.clear()
    asking = asyncio.create_task(runner.ask_all(1, [replace(ASKED, limit=limit) for limit in range(1, 21)]))
    await until(lambda: store.at_work == 2)
    store.gate.set()
    assert [answer.events[0] for answer in await asking] == list(range(1, 21))
    assert store.most_at_work == 2


async def test_a_refused_question_of_a_page_ends_the_others(runner: QueryRunner, store: FixedStore) -> None:
    store.gate.clear()
    store.answers[Uniques] = unknown_field
    asking = asyncio.create_task(runner.ask_all(1, [ASKED, Timeseries(range=LAST_YEAR, series=())]))
    await until(lambda: store.at_work == 2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: store.given_up == 2)
    store.gate.set()
    with pytest.raises(QueryRefused, match="Nobody told me"):
        await runner.ask_all(1, [ASKED, Paths(range=JUNE)])


async def test_a_field_that_there_is_not_is_a_refusal(runner: QueryRunner, store: FixedStore) -> None:
    store.answers[Catalogue] = unknown_field
    with pytest.raises(QueryRefused, match="no field 'no_such'") as raised:
        await runner.ask(1, ASKED)
    assert raised.value.status == 422


async def test_what_is_open_is_told_anew_every_minute(runner: QueryRunner, store: FixedStore, clock: FakeClock) -> None:
    for query, times in ((VISITS, 2), (ASKED, 1), (replace(VISITS, range=LAST_YEAR), 1)):
        store.asked.clear()
        await runner.ask(1, query)
        clock.move(timedelta(seconds=61))
        await runner.ask(1, query)
        assert len(store.asked) == times, query


async def test_it_is_told_what_became_of_each_question_and_how_long_it_took(
    store: FixedStore, clock: FakeClock
) -> None:
    told: list[tuple[str, str]] = []
    runner = QueryRunner(lambda: store, clock, watch=lambda kind, outcome, seconds: told.append((kind, outcome)))
    await runner.ask(1, ASKED)
    await runner.ask(1, ASKED)
    with pytest.raises(QueryRefused):
        await runner.ask(1, Paths(range=JUNE))
    store.answers.clear()
    store.answers[Catalogue] = lambda query, now: CatalogueAnswer(1 // 0)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await runner.ask(2, ASKED)
    assert told == [("catalogue", "found"), ("catalogue", "kept"), ("paths", "refused"), ("catalogue", "failed")]


async def test_a_known_tag_spares_the_answer(runner: QueryRunner, store: FixedStore) -> None:
    found = await runner.find(1, ASKED)
    store.asked.clear()
    again = await runner.find(1, ASKED, unless={found.tag})
    assert (again.tag, again.answer, store.asked) == (found.tag, None, [])
    store.stamps[1] = "later"
    changed = await runner.find(1, ASKED, unless={found.tag})
    assert changed.tag != found.tag
    assert changed.answer == CatalogueAnswer(())


async def test_a_store_without_memory_for_answers_is_asked_each_time(store: FixedStore, clock: FakeClock) -> None:
    runner = QueryRunner(lambda: store, clock, Limits(cache_bytes=0))
    await runner.ask(1, ASKED)
    await runner.ask(1, ASKED)
    assert len(store.asked) == 2


def test_the_cache_forgets_what_was_not_wanted_for_longest() -> None:
    cache: Cache[str] = Cache(most=2, most_bytes=800)
    cache.put("a", 1, "A", 10)
    cache.put("b", 1, "B", 10)
    assert cache.get("a", 1) == "A"
    cache.put("c", 1, "C", 10)
    assert [cache.get(key, 1) for key in "abc"] == ["A", None, "C"]


def test_the_cache_keeps_within_its_bytes_and_takes_nothing_huge() -> None:
    cache: Cache[int] = Cache(most=1_000, most_bytes=800)
    for number in range(100):
        cache.put(number, 1, number, 90)
        cache.put(number % 3, 2, number, 70)
        assert cache.bytes <= 800
    cache.put("huge", 1, 0, 101)
    assert cache.get("huge", 1) is None
    assert 0 < len(cache) <= 11


@pytest.mark.parametrize(
    ("query", "settled"),
    [
        (VISITS, timedelta(days=33)),
        (FUNNEL, timedelta(days=40)),
        (FunnelActors(funnel=FUNNEL), timedelta(days=40)),
        (Retention(range=JUNE, periods=2), timedelta(days=32 + 3 * 8 + 1)),
        (RetentionActors(retention=Retention(range=JUNE, periods=2)), timedelta(days=32 + 3 * 8 + 1)),
        (ASKED, timedelta(days=-30)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_answer_settles_once_nothing_in_it_can_be_open(query: Query, settled: timedelta) -> None:
    assert moment_of(query, JUNE.end + settled) is None
    if settled > timedelta():
        late = JUNE.end + settled - timedelta(days=2)
        assert moment_of(query, late) is not None
        assert moment_of(query, late) != moment_of(query, late + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("stretch", "word"),
    [
        (Range(JUNE.end, JUNE.start), "end after it starts"),
        (Range(JUNE.start, JUNE.start), "end after it starts"),
        (Range(JUNE.start, JUNE.start + timedelta(days=1_101)), "1100 days"),
        (Range(JUNE.start.replace(tzinfo=None), JUNE.end), "offset"),
        (Range(JUNE.start.replace(year=1), JUNE.end), "between 1970"),
        (Range(JUNE.start, JUNE.end, "Mars/Olympus"), "time zone"),
        (Range(JUNE.start, JUNE.end, "Africa"), "time zone"),
        (Range(JUNE.start, JUNE.end, "../../etc/passwd"), "time zone"),
        (Range(JUNE.start, JUNE.end, "a" * 5_000), "time zone"),
        (Range(JUNE.start, JUNE.end, "nul\0"), "time zone"),
    ],
)
def test_a_range_that_is_none_is_refused_with_the_reason(stretch: Range, word: str) -> None:
    with pytest.raises(QueryRefused, match=word):
        check(Catalogue(range=stretch))
    with pytest.raises(QueryRefused, match=word):
        check(FunnelActors(funnel=replace(FUNNEL, range=stretch)))


def test_an_answer_that_would_be_cut_too_fine_is_refused() -> None:
    years = Range(JUNE.start, JUNE.start + timedelta(days=1_000))
    check(replace(VISITS, range=years))
    with pytest.raises(QueryRefused, match="too much"):
        check(replace(VISITS, range=years, granularity="hour"))
    with pytest.raises(QueryRefused, match="too much"):
        check(RetentionActors(retention=Retention(range=years, granularity="hour")))
    many = tuple(Series(str(number)) for number in range(20))
    with pytest.raises(QueryRefused, match="fewer lines"):
        check(replace(VISITS, range=years, by="country_code", limit=50, series=many))


def test_the_runner_is_the_service(runner: QueryRunner) -> None:
    service: Analytics = runner
    assert callable(service.ask)
