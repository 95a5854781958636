"""Timeseries against a recount of plain events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.frame import ArrayFrame, Need
from chatnation.core.query.model import Filter, Formula, Measure, Range, Selection, Series, Timeseries
from chatnation.core.query.store import QueryRefused
from tests.core.query import plain
from tests.core.query.asking import approximately
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.by_kind import recounted

NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)
NAIROBI, BERLIN = ZoneInfo("Africa/Nairobi"), ZoneInfo("Europe/Berlin")
GRANULARITIES: Any = ("hour", "day", "week", "month")


def random_question(random: Random, events: Sequence[PlainEvent]) -> Timeseries:
    return Timeseries(
        **plain.random_frame(random, events),
        series=tuple(
            Series(f"s{number}", plain.random_selection(random), plain.random_measure(random))
            for number in range(random.choice((1, 1, 2, 3)))
        ),
        granularity=random.choice(GRANULARITIES),
        by=random.choice((None, None, "country_code", "properties.x", "time.weekday", "event_name")),
        limit=random.choice((1, 2, 10)),
        compare=random.random() < 0.4,
    )


@pytest.mark.parametrize("seed", range(160))
async def test_a_timeseries_equals_a_recount(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    if seed % 2:
        plain.as_if_large(monkeypatch)
    events = plain.random_events(random)
    query = random_question(random, events)

    assert approximately(await evaluate(query, PlainLoader(events), NOW), recounted(query, events, NOW))


@pytest.mark.parametrize("seed", range(60))
async def test_counts_and_sums_of_values_and_others_add_up_to_the_whole(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    query = Timeseries(
        **plain.random_frame(random, events),
        series=(Series("count"), Series("sum", measure=Measure("sum", "properties.x"))),
        limit=2,
    )
    whole: Any = await evaluate(query, PlainLoader(events), NOW)
    parts: Any = await evaluate(replace(query, by="properties.x"), PlainLoader(events), NOW)
    for name in ("count", "sum"):
        mine = [line for line in parts.lines if line.series == name]
        summed = [sum(cells) for cells in zip(*(line.values for line in mine), strict=True)] or [0] * len(whole.buckets)
        assert summed == pytest.approx(list(whole.line(name).values))
        assert sum(line.total for line in mine) == pytest.approx(whole.line(name).total)


def days(first: date, last: date, zone: ZoneInfo) -> Range:
    return Range(datetime.combine(first, time(), zone), datetime.combine(last, time(), zone), zone.key)


def at(*instants: datetime) -> PlainLoader:
    return PlainLoader(PlainEvent(instant, "a", "p", message_id=number) for number, instant in enumerate(instants))


async def test_a_range_without_events_has_every_bucket() -> None:
    series = (Series("n"), Series("mean", measure=Measure("avg", "properties.x")))
    query = Timeseries(range=days(date(2025, 3, 1), date(2025, 4, 1), NAIROBI), series=series)
    answer: Any = await evaluate(query, PlainLoader([]), NOW)
    assert [bucket.label for bucket in answer.buckets] == [f"2025-03-{day:02}" for day in range(1, 32)]
    assert answer.line("n").values == (0,) * 31
    assert answer.line("n").total == 0
    assert answer.line("mean").values == (None,) * 31
    assert answer.line("mean").total is None


async def test_the_day_on_which_clocks_go_forward_has_23_hours() -> None:
    query = Timeseries(
        range=days(date(2025, 3, 30), date(2025, 3, 31), BERLIN), series=(Series("n"),), granularity="hour"
    )
    loader = at(datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC), datetime(2025, 3, 30, 1, tzinfo=UTC))
    answer: Any = await evaluate(query, loader, NOW)
    labels = [bucket.label for bucket in answer.buckets]
    assert len(labels) == 23
    assert labels[1:3] == ["2025-03-30T01:00+01:00", "2025-03-30T03:00+02:00"]
    assert answer.line("n").values[:4] == (0, 1, 1, 0)


async def test_the_hour_that_comes_twice_has_two_buckets() -> None:
    query = Timeseries(
        range=days(date(2025, 10, 26), date(2025, 10, 27), BERLIN), series=(Series("n"),), granularity="hour"
    )
    loader = at(datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 1, 30, tzinfo=UTC))
    answer: Any = await evaluate(query, loader, NOW)
    labels = [bucket.label for bucket in answer.buckets]
    assert len(labels) == 25
    assert labels[2:4] == ["2025-10-26T02:00+02:00", "2025-10-26T02:00+01:00"]
    assert answer.line("n").values[:5] == (0, 0, 1, 1, 0)


async def test_midnight_is_that_of_the_zone() -> None:
    loader = at(datetime(2025, 3, 9, 20, 59, 59, tzinfo=UTC), datetime(2025, 3, 9, 21, tzinfo=UTC))
    query = Timeseries(range=days(date(2025, 3, 9), date(2025, 3, 11), NAIROBI), series=(Series("n"),))
    answer: Any = await evaluate(query, loader, NOW)
    assert answer.line("n").values == (1, 1)


async def test_a_person_is_new_only_at_their_first_row_of_the_selection() -> None:
    events = [
        PlainEvent(datetime(2025, 2, 1, tzinfo=UTC), "a", "old"),
        PlainEvent(datetime(2025, 2, 1, tzinfo=UTC), "b", "changed"),
        PlainEvent(datetime(2025, 3, 1, tzinfo=UTC), "a", "robot", is_bot=True),
        PlainEvent(datetime(2025, 3, 10, 9, tzinfo=UTC), "a", "old"),
        PlainEvent(datetime(2025, 3, 10, 9, tzinfo=UTC), "a", "changed"),
        PlainEvent(datetime(2025, 3, 11, 9, tzinfo=UTC), "a", "changed"),
        PlainEvent(datetime(2025, 3, 11, 9, tzinfo=UTC), "a", "robot"),
        PlainEvent(datetime(2025, 3, 11, 9, tzinfo=UTC), "a", None),
    ]
    query = Timeseries(
        range=days(date(2025, 3, 10), date(2025, 3, 12), NAIROBI),
        series=(Series("new", Selection(("a",)), Measure("new_persons")),),
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    assert answer.line("new").values == (1, 1)
    assert answer.line("new").total == 2


async def test_formulas_are_computed_by_bucket_and_of_totals() -> None:
    events = [
        PlainEvent(datetime(2025, 3, 10, 9, tzinfo=UTC), "sent", "p", message_id=1),
        PlainEvent(datetime(2025, 3, 10, 9, tzinfo=UTC), "sent", "q", message_id=2),
        PlainEvent(datetime(2025, 3, 10, 9, tzinfo=UTC), "read", "q", message_id=3),
        PlainEvent(datetime(2025, 3, 12, 9, tzinfo=UTC), "sent", "q", message_id=4),
    ]
    query = Timeseries(
        range=days(date(2025, 3, 10), date(2025, 3, 13), NAIROBI),
        series=(Series("sent", Selection(("sent",))), Series("read", Selection(("read",)))),
        formulas=(Formula("rate", "100 * {read} / {sent}"),),
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    assert answer.line("rate").values == (50, None, 0)
    assert answer.line("rate").total == pytest.approx(100 / 3)


async def test_whole_days_are_compared_with_as_many_whole_days_over_a_change_of_clocks() -> None:
    query = Timeseries(range=days(date(2025, 3, 30), date(2025, 4, 1), BERLIN), series=(Series("n"),), compare=True)
    answer: Any = await evaluate(query, at(datetime(2025, 3, 27, 23, tzinfo=UTC)), NOW)
    assert [bucket.label for bucket in answer.previous_buckets] == ["2025-03-28", "2025-03-29"]
    assert answer.before("n").values == (1, 0)


async def test_equal_conditions_of_different_types_are_kept_apart() -> None:
    events = [PlainEvent(datetime(2025, 3, 10, tzinfo=UTC), "a", "p", properties={"x": x}) for x in (True, 1, 1)]
    series = tuple(
        Series(name, Selection(filters=(Filter("properties.x", "is", (value,)),)))
        for name, value in (("flag", True), ("number", 1.0))
    )
    query = Timeseries(range=days(date(2025, 3, 10), date(2025, 3, 11), NAIROBI), series=series)
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    assert (answer.line("flag").total, answer.line("number").total) == (1, 2)


class Recording(PlainLoader):
    """Remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__([])
        self.loads: list[tuple[datetime | None, Need, frozenset[str]]] = []

    async def load(self, start: Any, end: Any, need: Need, events: Any = ()) -> ArrayFrame:
        self.loads.append((start, need, frozenset(events)))
        return await super().load(start, end, need, events)


async def test_all_series_are_loaded_at_once_and_new_persons_since_the_beginning() -> None:
    loader = Recording()
    query = Timeseries(
        range=days(date(2025, 3, 10), date(2025, 3, 11), NAIROBI),
        series=(
            Series("a", Selection(("a",)), Measure("persons")),
            Series("b", Selection(("b",)), Measure("sum", "properties.x")),
            Series("new", Selection(("c",)), Measure("new_persons")),
        ),
        by="time.hour",
        compare=True,
    )
    await evaluate(query, loader, NOW)
    (recent, need, names), (ever, need_ever, names_ever) = loader.loads
    assert (recent, ever) == (query.range.previous().start, None)
    assert (names, names_ever) == ({"a", "b"}, {"c"})
    assert {str(field) for field in need.columns} == {"event_name", "is_bot"}
    assert ({str(field) for field in need.numbers}, need.actors) == ({"properties.x"}, {"person"})
    assert need_ever == replace(need, numbers=frozenset())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"series": (Series("a"), Series("a"))}, "'a' is used twice"),
        ({"series": (Series("a", measure=Measure("sum")),)}, "needs a field"),
        ({"series": (Series("a", measure=Measure("count", "properties.x")),)}, "takes no field"),
        ({"series": (Series("a", measure=Measure("sum", "amount")),)}, "no field 'amount'"),
        ({"by": "colour"}, "no field 'colour'"),
        ({"filters": (Filter("colour", "is", ("red",)),)}, "no field 'colour'"),
        ({"filters": (Filter("properties.x", "gt", ("red",)),)}, "needs a number"),
        ({"filters": (Filter("properties.x", "between", (1,)),)}, "needs two numbers"),
        ({"filters": (Filter("properties.x", "is"),)}, "needs a value"),
        ({"source": "sessions", "series": (Series("a", Selection(("x",))),)}, "Sessions have no names"),
        ({"formulas": (Formula("f", "{b}"),)}, "no series is named 'b'"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_refused_before_anything_is_loaded(change: Any, words: str) -> None:
    query = Timeseries(**{"range": Range(NOW, NOW + timedelta(days=1)), "series": (Series("a"),), **change})
    loader = Recording()
    with pytest.raises(QueryRefused, match=words):
        await evaluate(query, loader, NOW)
    assert loader.loads == []


async def test_visits_are_measured_by_the_time_of_their_beginning() -> None:
    visits = [
        PlainEvent(
            datetime(2025, 3, 10, hour, tzinfo=UTC),
            "",
            person,
            session=f"visit {hour}",
            message_id=hour,
            columns={"duration_seconds": seconds, "utm_source": source},
        )
        for hour, person, seconds, source in ((8, "p", "10", "mail"), (9, "p", "30", "mail"), (22, None, "50", "ad"))
    ]
    query = Timeseries(
        range=days(date(2025, 3, 10), date(2025, 3, 12), NAIROBI),
        source="sessions",
        series=(
            Series("visits"),
            Series("sessions", measure=Measure("sessions")),
            Series("persons", measure=Measure("persons")),
            Series(
                "middle",
                Selection(filters=(Filter("utm_source", "is", ("mail",)),)),
                Measure("p50", "duration_seconds"),
            ),
        ),
    )
    answer: Any = await evaluate(query, PlainLoader(visits), NOW)
    assert answer.line("visits").values == answer.line("sessions").values == (2, 1)
    assert answer.line("persons").values == (1, 0)
    assert answer.line("middle").values == (20, None)
