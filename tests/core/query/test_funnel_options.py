"""Each option of funnels on a history that shows what it does, with the numbers counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from chatnation.core.query.answers import FunnelBucket, FunnelGroup, NumberBucket
from chatnation.core.query.evaluate.funnel.report import histogram
from chatnation.core.query.evaluate.funnel.shares import differ, wilson
from chatnation.core.query.model import DAY as SECONDS_OF_A_DAY
from chatnation.core.query.model import Exclusion, Filter, Funnel, Selection, Step
from chatnation.core.query.store import QueryRefused
from tests.core.query.funnel_asking import ANN, BOB, NOON, ask, event, funnel, history, reached, steps

HOUR = 3600
CANCEL = Selection(("x",))


async def test_three_persons_by_hand() -> None:
    events = [*history("abc", ANN, every=10), *history("axb", BOB, every=20), *history("a", "Cy"), *history("bc", "Di")]
    found = await ask(events, funnel("abc"))
    first, second, third = found.steps
    assert [(step.reached, step.dropped, step.open) for step in found.steps] == [(3, 1, 0), (2, 1, 0), (1, 0, 0)]
    assert (first.of_first, second.of_first, third.of_first) == (1, 2 / 3, 1 / 3)
    assert (first.of_previous, second.of_previous, third.of_previous) == (None, 2 / 3, 1 / 2)
    assert found.conversion == 1 / 3
    assert (second.from_previous.count, second.from_previous.min, second.from_previous.p50) == (2, 10, 25)
    assert (third.from_previous.mean, third.from_first.mean) == (10, 20)


async def test_the_example_of_the_documentation() -> None:
    minutes = {"open": (0, 50), "pay": (10, 110), "fill": (20, 65)}
    events = [event(name, minute * 60) for name, both in minutes.items() for minute in both]
    query = funnel(("open", "fill", "pay"), window=HOUR)
    found = await ask(events, query)
    assert [step.reached for step in found.steps] == [1, 1, 1]
    assert [step.from_previous.p50 for step in found.steps[1:]] == [15 * 60, 45 * 60]
    assert await reached(events, replace(query, entry="first")) == [1, 1, 0]
    assert await reached(events, replace(query, entry="totals")) == [2, 2, 1]


async def test_the_window_and_a_steps_own_limit_include_their_last_moment() -> None:
    assert await reached(history("ab", every=60), funnel("ab", window=60)) == [1, 1]
    assert await reached(history("ab", every=60.000001), funnel("ab", window=60)) == [1, 0]
    limited = (*steps("a"), *steps("b", within=30))
    assert await reached(history("ab", every=30), funnel(steps=limited)) == [1, 1]
    assert await reached(history("ab", every=30.000001), funnel(steps=limited)) == [1, 0]


async def test_a_chain_takes_the_earliest_event_even_where_a_later_one_would_lead_further() -> None:
    limited = (*steps("ab"), *steps("c", within=10))
    events = [event("a", 0), event("b", 1), event("b", 15), event("c", 20)]
    assert await reached(events, funnel(steps=limited)) == [1, 1, 0]


async def test_strict_order_bears_other_events_but_none_of_the_funnels() -> None:
    assert await reached(history("axxbxc"), funnel("abc", order="strict")) == [1, 1, 1]
    assert await reached(history("aab"), funnel("ab", order="strict", entry="first")) == [1, 0]
    assert await reached(history("aab"), funnel("ab", order="strict")) == [1, 1]
    assert await reached(history("acb"), funnel("abc", order="strict")) == [1, 0, 0]


async def test_an_optional_step_is_a_branch_and_passing_it_by_ends_nothing() -> None:
    query = funnel(("a", "b?", "c"))
    found = await ask(
        [*history("abc", ANN, every=5), *history("ac", BOB), *history("acb", "Cy"), *history("ab", "Di")], query
    )
    assert [step.reached for step in found.steps] == [4, 2, 3]
    assert [step.dropped for step in found.steps] == [1, 0, 0]
    assert (found.steps[1].of_first, found.steps[1].of_previous, found.steps[2].of_previous) == (2 / 4, 2 / 4, 3 / 4)
    assert found.steps[1].from_previous.max == 5
    assert found.conversion == 3 / 4


async def test_optional_steps_between_two_others_come_in_any_order_and_share_no_event() -> None:
    query = funnel(("a", "b?", "b?", "c?", "d"))
    assert await reached(history("acbd"), query) == [1, 1, 0, 1, 1]
    assert await reached(history("acbbd"), query) == [1, 1, 1, 1, 1]
    strict = replace(query, order="strict")
    assert await reached(history("acbd"), strict) == [1, 1, 0, 1, 1]
    assert await reached(history("abccd"), strict) == [1, 1, 0, 1, 0]


async def test_an_excluded_event_ends_the_chain_where_it_stands_between_two_steps() -> None:
    query = funnel("abc", exclusions=(Exclusion(CANCEL, after=1),))
    assert await reached(history("axbc"), query) == [1, 1, 1]
    assert await reached(history("abxc"), query) == [1, 1, 0]
    assert await reached(history("abcx"), query) == [1, 1, 1]
    assert await reached(history("abxcabc"), query) == [1, 1, 1]
    assert await reached(history("abxcabc"), replace(query, entry="first")) == [1, 1, 0]
    ended = await ask(history("abx"), query, now=NOON + timedelta(seconds=5))
    assert [(step.dropped, step.open) for step in ended.steps] == [(0, 0), (1, 0), (0, 0)]


async def test_in_any_order_steps_are_counted_by_how_many_are_done() -> None:
    query = funnel("abc", order="any")
    assert await reached(history("acb"), query) == [1, 1, 1]
    assert await reached(history("cab"), query) == [1, 1, 0]
    assert await reached(history("cab"), replace(query, anchor_first=False)) == [1, 1, 1]
    last = replace(query, anchor_first=False, anchor_last=True)
    assert await reached(history("cab"), last) == [1, 1, 0]
    assert await reached(history("cabc"), last) == [1, 1, 1]
    assert await reached(history("c"), last) == [0, 0, 0]
    times = await ask(history("acb", every=10), query)
    assert [(step.from_previous.mean, step.from_first.mean) for step in times.steps[1:]] == [(10, 10), (10, 20)]


async def test_constant_fields_have_to_agree_in_all_steps() -> None:
    def with_tax(name: str, second: float, kind: str | None) -> Any:
        return event(name, second, properties={} if kind is None else {"tax": kind})

    events = [with_tax("a", 0, "MRI"), with_tax("b", 1, "TOT"), with_tax("c", 2, "MRI"), with_tax("b", 3, None)]
    query = funnel("abc", constant=("properties.tax",))
    assert await reached(events, funnel("abc")) == [1, 1, 1]
    assert await reached(events, query) == [1, 0, 0]
    assert await reached([*events, with_tax("b", 1.5, "MRI")], query) == [1, 1, 1]
    assert await reached([with_tax("a", 0, None), with_tax("b", 1, None)], query) == [0, 0, 0]
    two = [with_tax(name, second, tax) for second, (name, tax) in enumerate(zip("aabbc", "xyxyy", strict=True))]
    assert await reached(two, query) == [1, 1, 1]
    assert await reached(two, replace(query, entry="first")) == [1, 1, 0]
    assert await reached(two, replace(query, entry="totals")) == [2, 2, 1]


async def test_of_several_entries_the_best_the_first_or_each_counts() -> None:
    events = history("abaabc")
    assert await reached(events, funnel("abc", order="strict")) == [1, 1, 1]
    assert await reached(events, funnel("abc", order="strict", entry="first")) == [1, 1, 0]
    assert await reached(events, funnel("abc", order="strict", entry="totals")) == [3, 2, 1]


async def test_journey_flags_belong_to_the_first_and_the_last_step() -> None:
    query = funnel("abc", journey_flags=True)
    assert await reached(history("abc"), query) == [0, 0, 0]
    flagged = [event("a", 0), event("a", 1, journey_start=True), event("b", 2), event("c", 3)]
    assert await reached(flagged, query) == [1, 1, 0]
    assert await reached([*flagged, event("c", 4, journey_end=True)], query) == [1, 1, 1]


async def test_an_actor_may_be_a_session_or_a_value() -> None:
    events = [event("a", 0, session="s1"), event("b", 1, session="s2"), event("a", 2, session="s2")]
    assert await reached(events, funnel("ab")) == [1, 1]
    assert await reached(events, funnel("ab", actor="session")) == [2, 0]
    with_message = [event("a", 0, None, properties={"id": 4}), event("b", 1, BOB, properties={"id": 4})]
    assert await reached(with_message, funnel("ab", actor="properties.id")) == [1, 1]
    assert await reached(with_message, funnel("ab")) == [0, 0]


async def test_bots_and_rows_beyond_the_conditions_are_left_out() -> None:
    events = [event("a", 0), event("b", 1, is_bot=True), event("b", 2, columns={"country_code": "UG"})]
    not_uganda = (Filter("country_code", "is_not", ("UG",)),)
    assert await reached(events, funnel("ab", filters=not_uganda)) == [1, 0]
    assert await reached(events, funnel("ab", filters=not_uganda, include_bots=True)) == [1, 1]


async def test_what_may_still_go_on_is_open_until_the_window_is_over() -> None:
    for second, dropped, still in ((59, 0, 1), (60, 1, 0)):
        found = await ask(history("ab"), funnel("abc", window=60), now=NOON + timedelta(seconds=second))
        assert (found.steps[1].dropped, found.steps[1].open) == (dropped, still)
    limited = (*steps("ab"), *steps("c", within=10))
    for second, dropped, still in ((10, 0, 1), (11, 1, 0)):
        found = await ask(history("ab"), funnel(steps=limited), now=NOON + timedelta(seconds=second))
        assert (found.steps[1].dropped, found.steps[1].open) == (dropped, still)


async def test_the_breakdown_takes_its_value_from_the_event_that_it_is_told() -> None:
    events = [event(name, place, columns={"country_code": name.upper()}) for place, name in enumerate("abc")]
    for attribution, step, value in (("first", 0, "A"), ("last", 0, "C"), ("step", 1, "B"), ("any", 0, "A")):
        query = funnel("abc", by="country_code", attribution=attribution, attribution_step=step)
        assert [group.value for group in (await ask(events, query)).groups] == [value]
    never = funnel("abd", by="country_code", attribution="step", attribution_step=2)
    assert [group.value for group in (await ask(events, never)).groups] == [None]


async def test_groups_beyond_the_limit_are_in_one_row_and_only_clear_differences_are_marked() -> None:
    def people(country: str, names: str, count: int) -> Any:
        made = []
        for number in range(count):
            events = history(names, f"{country}/{names}/{number}")
            made += [replace(one, columns={"country_code": country}) for one in events]
        return made

    events = [*people("KE", "ab", 80), *people("KE", "a", 20), *people("UG", "ab", 40), *people("UG", "a", 40)]
    events += [*people("TZ", "ab", 3), *people("RW", "a", 2)]
    found = await ask(events, funnel("ab", by="country_code", limit=2))
    assert found.groups == (
        FunnelGroup("KE", (100, 80), 0.8, significant=True),
        FunnelGroup("UG", (80, 40), 0.5, significant=True),
        FunnelGroup(None, (5, 3), 3 / 5, other=True),
    )
    all_of_them = await ask(events, funnel("ab", by="country_code"))
    assert [group.significant for group in all_of_them.groups] == [True, True, False, False]


async def test_the_trend_goes_by_entry_and_tells_which_buckets_can_still_change() -> None:
    events = [*history("ab", ANN), event("a", HOUR, BOB)]
    query = funnel("ab", granularity="hour", window=HOUR)
    found = await ask(events, query, now=NOON + timedelta(hours=2))
    at_noon, at_one = found.trend[12:14]
    assert at_noon == FunnelBucket(at_noon.bucket, 1, 1, 0, 1.0, mature=True)
    assert at_one == FunnelBucket(at_one.bucket, 1, 0, 0, 0.0, mature=False)
    assert at_noon.bucket.start == NOON
    assert len(found.trend) == 24


async def test_the_range_before_is_compared() -> None:
    yesterday = [replace(one, time=one.time - timedelta(days=1)) for one in history("ab", BOB)]
    found = await ask([*history("a"), *yesterday], funnel("ab", compare=True, window=60))
    assert found.conversion == 0
    assert found.previous is not None
    assert (found.previous.conversion, found.previous.previous) == (1, None)


def test_shares_have_wilsons_bounds() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1), abs=1e-4)
    assert wilson(0, 0) == (None, None)


def test_two_shares_differ_when_chance_is_a_poor_explanation_and_there_is_enough_of_both() -> None:
    assert differ(60, 100, 45, 100)  # z = 2.12
    assert not differ(58, 100, 45, 100)  # z = 1.84
    assert not differ(4, 4, 0, 100)
    assert not differ(5, 5, 0, 0)
    assert not differ(10, 10, 10, 10)


def test_times_to_convert_are_put_into_ten_buckets_that_read_well() -> None:
    buckets = histogram(np.array([*[5.0] * 90, *[95.0] * 7, 6000.0]))
    assert [bucket.low for bucket in buckets] == [10 * place for place in range(10)]
    assert (buckets[0].count, buckets[0].high) == (90, 10)
    assert buckets[-1] == NumberBucket(90, None, 8, (7 * 95 + 6000) / 8)
    assert histogram(np.array([])) == ()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (funnel(("a?", "b")), "first step"),
        (funnel(("a", "b?"), order="any"), "no step is optional"),
        (funnel(steps=steps("ab", within=5), order="any"), "limit of its own"),
        (funnel("ab", order="any", exclusions=(Exclusion(CANCEL, 0),)), "nothing can be excluded"),
        (funnel("ab", exclusions=(Exclusion(CANCEL, 1),)), "An exclusion"),
        (funnel(("a", "b?", "c"), exclusions=(Exclusion(CANCEL, 1),)), "An exclusion"),
        (funnel("ab", by="country_code", attribution="step", attribution_step=2), "does not have"),
        (funnel("ab", source="sessions", journey_flags=True), "journey flags"),
        (funnel("ab", by="nothing"), "no field"),
        (funnel("ab", constant=("nothing",)), "no field"),
        (funnel("ab", actor="nothing"), "no field"),
    ],
)
async def test_options_that_do_not_go_together_are_refused(query: Funnel, reason: str) -> None:
    with pytest.raises(QueryRefused, match=reason):
        await ask([], query)


async def test_a_funnel_of_one_step_counts_its_actors() -> None:
    found = await ask([*history("aa"), *history("a", BOB)], funnel("a", window=SECONDS_OF_A_DAY))
    assert (found.steps[0].reached, found.steps[0].dropped, found.steps[0].open) == (2, 0, 0)
    assert (found.conversion, found.histogram) == (1.0, ())


async def test_a_step_without_names_takes_every_event() -> None:
    assert await reached(history("axyb"), funnel(steps=(*steps("a"), Step("any", Selection()), *steps("b")))) == [
        1,
        1,
        1,
    ]
