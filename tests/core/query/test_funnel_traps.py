"""What goes wrong in funnels elsewhere, one test each."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from chatnation.core.query.model import Exclusion, Filter, Range, Selection, Step
from tests.core.query.funnel_asking import ANN, BOB, NOON, ask, event, funnel, history, reached
from tests.core.query.histories import PlainEvent, random_history

MINUTE, HOUR = 60, 3600


async def test_1_the_event_of_step_1_does_not_satisfy_an_identical_step_2() -> None:
    assert await reached(history("a"), funnel("aa")) == [1, 0]
    assert await reached(history("aa"), funnel("aa")) == [1, 1]


async def test_2_the_window_is_counted_from_step_1_not_from_the_step_before() -> None:
    journey = history("abcdefgh", every=40 * MINUTE)
    assert await reached(journey, funnel("abcdefgh", window=HOUR)) == [1, 1, 0, 0, 0, 0, 0, 0]
    assert await reached(history("abcdefgh", every=8 * MINUTE), funnel("abcdefgh", window=HOUR)) == [1] * 8


async def test_3_steps_that_share_an_event_name_are_counted_each() -> None:
    assert await reached(history("abab"), funnel("abab")) == [1, 1, 1, 1]
    assert await reached(history("ababc"), funnel("ababc")) == [1, 1, 1, 1, 1]


async def test_4_without_entries_there_are_no_shares() -> None:
    for events in ([], history("bc")):
        found = await ask(events, funnel("abc", by="country_code", granularity="day", compare=True))
        assert [step.reached for step in found.steps] == [0, 0, 0]
        for step in found.steps:
            assert (step.of_first, step.of_previous, step.low, step.high) == (None, None, None, None)
            assert (step.dropped, step.open, step.from_first.count) == (0, 0, 0)
        assert (found.conversion, found.groups, found.histogram) == (None, (), ())
        assert [bucket.conversion for bucket in found.trend] == [None]


async def test_5_events_in_the_same_millisecond_connect_in_their_order() -> None:
    tied = [event("a", message_id=1), event("b", message_id=2), event("c", message_id=3)]
    assert await reached(tied, funnel("abc")) == [1, 1, 1]
    by_sequence = [event("a", sequence=1, message_id=9), event("b", sequence=2, message_id=1)]
    assert await reached(by_sequence, funnel("ab")) == [1, 1]
    assert await reached(by_sequence, funnel("ba")) == [1, 0]


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
async def test_6_the_cost_does_not_grow_with_the_square_of_an_actors_events(order: str) -> None:
    many = history("ab" * 50_000, every=0.001)
    began = time.process_time()
    found = await reached(many, funnel("abc", order=order, entry="totals"))
    assert found == [50_000, 50_000, 0]
    assert time.process_time() - began < 20  # 50 000 entries times 100 000 events would take hours


async def test_7_conversions_after_the_end_of_the_range_count() -> None:
    before_midnight = 12 * HOUR - 1
    late = [event("a", before_midnight), event("b", before_midnight + HOUR), event("c", before_midnight + 2 * HOUR)]
    assert await reached(late, funnel("abc", window=2 * HOUR)) == [1, 1, 1]
    assert await reached(late, funnel("abc", window=2 * HOUR - 1)) == [1, 1, 0]
    assert await reached([event("a", 12 * HOUR), event("b", 12 * HOUR + 1)], funnel("ab")) == [0, 0]


async def test_8_one_event_is_not_counted_for_two_consecutive_steps() -> None:
    either = Selection(("b", "c"))
    query = replace(funnel("abc"), steps=(*funnel("a").steps, Step("b or c", either), Step("c", Selection(("c",)))))
    assert await reached(history("ac"), query) == [1, 1, 0]
    assert await reached(history("acc"), query) == [1, 1, 1]


async def test_9_what_two_ids_of_one_person_did_is_one_chain_and_one_actor() -> None:
    apart = [*history("a", ANN), event("b", 1, BOB), event("a", 2, BOB), event("c", 3, BOB)]
    assert await reached(apart, funnel("abc")) == [2, 0, 0]
    merged = [replace(one, person=ANN) for one in apart]
    assert await reached(merged, funnel("abc")) == [1, 1, 1]


async def test_10_the_trend_keeps_to_the_order() -> None:
    events = [*history("axb", ANN), *history("bab", BOB), *history("ba", "Cy")]
    for order, converted in (("ordered", 2), ("any", 3), ("strict", 2)):
        found = await ask(events, funnel("ab", order=order, anchor_first=False, granularity="day"))
        assert [bucket.converted for bucket in found.trend] == [converted]
    strict = await ask(history("aab"), funnel("abb", order="strict", granularity="hour"))
    assert sum(bucket.converted for bucket in strict.trend) == 0


async def test_11_a_breakdown_does_not_split_chains_and_its_rows_sum_up() -> None:
    events = [
        event("a", 0, columns={"country_code": "KE"}),
        event("b", 1, columns={"country_code": "UG"}),
        event("c", 2),
    ]
    events += [replace(one, person=BOB, columns={}) for one in events]
    found = await ask(events, funnel("abc", by="country_code"))
    assert [(group.value, group.reached) for group in found.groups] == [("KE", (1, 1, 1)), (None, (1, 1, 1))]
    for attribution in ("first", "last", "step", "any"):
        told = await ask(events, funnel("abc", by="country_code", attribution=attribution, limit=1))
        assert [sum(group.reached[step] for group in told.groups) for step in range(3)] == [2, 2, 2]


async def test_12_a_first_touch_without_a_value_is_not_taken_from_step_2() -> None:
    events = [event("a", 0), event("b", 1, columns={"country_code": "KE"})]
    found = await ask(events, funnel("ab", by="country_code"))
    assert [group.value for group in found.groups] == [None]
    found = await ask(events, funnel("ab", by="country_code", attribution="any"))
    assert [group.value for group in found.groups] == ["KE"]


@pytest.mark.parametrize("order", ["ordered", "strict", "any"])
async def test_13_an_event_that_matches_two_overlapping_patterns_serves_one_of_them(order: str) -> None:
    pattern = Selection(filters=(Filter("event_name", "starts_with", ("pa",)),))
    query = funnel("a", steps=(*funnel("a").steps, Step("pa*", pattern), Step("paid", Selection(("paid",)))))
    query = replace(query, order=order)
    assert await reached([event("a"), event("paid", 1)], query) == [1, 1, 0]
    assert await reached([event("a"), event("paid", 1), event("paid", 2)], query) == [1, 1, 1]


async def test_14_strict_order_and_exclusions_hold_where_times_tie() -> None:
    tied = [event(name, 0, message_id=place) for place, name in enumerate("acb")]
    assert await reached(tied, funnel("abc")) == [1, 1, 0]
    assert await reached(tied, funnel("abc", order="strict")) == [1, 0, 0]
    excluded = funnel("ab", exclusions=(Exclusion(Selection(("c",)), after=0),))
    assert await reached(tied, excluded) == [1, 0]
    behind = [event(name, 0, message_id=place) for place, name in enumerate("abc")]
    assert await reached(behind, excluded) == [1, 1]


async def test_15_windows_cross_midnight_and_the_ends_of_months() -> None:
    zone = ZoneInfo("Africa/Nairobi")
    end_of_month = datetime(2025, 6, 30, 23, 59, 59, tzinfo=zone)
    events = [
        PlainEvent(end_of_month + timedelta(seconds=place * 2), name, ANN, session=f"{ANN}/{place}")
        for place, name in enumerate("abc")
    ]
    june = Range(datetime(2025, 6, 1, tzinfo=zone), datetime(2025, 7, 1, tzinfo=zone), "Africa/Nairobi")
    assert await reached(events, funnel("abc", range=june, window=10)) == [1, 1, 1]


async def test_16_the_order_of_arrival_changes_nothing() -> None:
    random = Random(7)
    events = random_history(random, events=200, persons=3, days=1, beginning=NOON.replace(hour=0))
    for order in ("ordered", "strict", "any"):
        query = funnel("abcd", order=order, by="country_code", granularity="hour", entry="totals", include_bots=True)
        answers = []
        for _ in range(5):
            random.shuffle(events)
            answers.append(await ask(events, query))
        assert answers[0].steps[1].reached > 0
        assert all(answer == answers[0] for answer in answers)
