"""One person in a funnel, and who is behind its numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from chatnation.core.query.answers import FunnelActor
from chatnation.core.query.evaluate.funnel.verdict import spoken
from chatnation.core.query.evaluate.funnel_actors import answer
from chatnation.core.query.evaluate.funnel_walk import MOST_EVENTS
from chatnation.core.query.model import Exclusion, Filter, FunnelActors, Selection, Step
from chatnation.core.query.store import QueryRefused
from tests.core.query.funnel_asking import ANN, BOB, LATER, NOON, event, funnel, history, steps, walk
from tests.core.query.histories import PlainLoader

HOUR = 3600


async def test_a_walk_tells_which_step_each_event_matched_and_served() -> None:
    either = Step("b or c", Selection(("b", "c")))
    found = await walk([*history("axbcb"), *history("abc", BOB)], funnel(steps=(*steps("a"), either, *steps("c"))))
    assert [(one.event_name, one.steps, one.served) for one in found.events] == [
        ("a", (0,), 0),
        ("b", (1,), 1),
        ("c", (1, 2), 2),
        ("b", (1,), None),
    ]
    assert (found.reached, found.verdict) == (3, "Reached the last step, “c”, 3 seconds after step 1.")


@pytest.mark.parametrize(
    ("names", "options", "second", "verdict"),
    [
        ("b", {}, HOUR, "Never entered: no event in the range is step 1, “a”."),
        ("ab", {}, HOUR, "Reached step 2 of 3: the window of 10 minutes ended before step 3, “c”, came."),
        ("ab", {}, 300, "Reached step 2 of 3: step 3, “c”, may still come, for another 5 minutes."),
        (
            "abxc",
            {"exclusions": (Exclusion(Selection(("x",)), 1),)},
            300,
            "Reached step 2 of 3: “x”, excluded there, came before step 3, “c”.",
        ),
        (
            "acb",
            {"order": "strict"},
            300,
            "Reached step 1 of 3: “c”, another of the funnel's events, came before step 2, “b”.",
        ),
        (
            "ab",
            {"steps": (*steps("ab"), *steps("c", within=60))},
            300,
            "Reached step 2 of 3: the 1 minute in which it has to follow ended before step 3, “c”, came.",
        ),
        ("cab", {"order": "any"}, HOUR, "Did 2 of 3 steps: the window of 10 minutes ended before another step came."),
        ("acb", {"order": "any"}, HOUR, "Did all 3 steps in 2 seconds."),
        (
            "aqxb",
            {"order": "strict", "exclusions": (Exclusion(Selection(("q", "x")), 0),)},
            HOUR,
            "Reached step 1 of 3: “q”, excluded there, came before step 2, “b”.",
        ),
        (
            "ax",
            {"order": "strict", "steps": steps("abx"), "exclusions": (Exclusion(Selection(("x",)), 0),)},
            HOUR,
            "Reached step 1 of 3: “x”, excluded there, came before step 2, “b”.",
        ),
        ("a", {"steps": steps("a")}, HOUR, "Reached the only step that counts, “a”."),
        (
            "x",
            {"order": "any", "anchor_first": False},
            HOUR,
            "Never entered: no event in the range is one of the steps with which a chain may begin.",
        ),
    ],
)
async def test_the_verdict_says_why(names: str, options: dict[str, object], second: float, verdict: str) -> None:
    query = funnel("abc", **{"window": 600, **options})
    assert (await walk(history(names), query, now=NOON + timedelta(seconds=second))).verdict == verdict


async def test_a_walk_says_why_an_event_was_not_taken() -> None:
    events = [
        event("a", 0, properties={"tax": "MRI"}),
        event("b", 1, is_bot=True, properties={"tax": "MRI"}),
        event("b", 2, columns={"country_code": "UG"}, properties={"tax": "MRI"}),
        event("b", 3),
        event("x", 4, properties={"tax": "MRI"}),
        event("b", 700, properties={"tax": "MRI"}),
    ]
    query = funnel(
        "ab",
        window=600,
        filters=(Filter("country_code", "is_not", ("UG",)),),
        constant=("properties.tax",),
        exclusions=(Exclusion(Selection(("x",)), 0),),
    )
    assert [(one.event_name, one.note) for one in (await walk(events, query)).events] == [
        ("a", ""),
        ("b", "left out: a known bot"),
        ("b", "left out by a condition of the funnel"),
        ("b", "left out: has no properties.tax"),
        ("x", "ended the chain: excluded here"),
        ("b", "after the window"),
    ]


async def test_a_walk_shows_the_chain_that_counts() -> None:
    events = history("abaabc")
    best = await walk(events, funnel("abc", order="strict"))
    assert [one.served for one in best.events] == [None, None, None, 0, 1, 2]
    first = await walk(events, funnel("abc", order="strict", entry="first"))
    assert [one.served for one in first.events] == [0, 1, None, None, None, None]
    assert first.events[2].note == "ended the chain: strict order"


async def test_a_walk_of_a_funnel_of_visits_shows_the_one_that_came_furthest() -> None:
    events = [event("a", 0, session="s1"), event("a", 1, session="s2"), event("b", 2, session="s2")]
    found = await walk(events, funnel("ab", actor="session"))
    assert [one.served for one in found.events] == [None, 0, 1]


async def test_a_walk_with_too_many_events_shows_those_around_the_entry() -> None:
    events = [*[event("b", second) for second in range(MOST_EVENTS)], event("a", HOUR), event("b", HOUR + 1)]
    found = await walk(events, funnel("ab"))
    assert found.truncated
    assert [one.served for one in found.events[-2:]] == [0, 1]


async def test_nobody_has_no_events() -> None:
    found = await walk(history("abc", BOB), funnel("abc"))
    assert (found.events, found.reached) == ((), 0)


def test_durations_are_spoken() -> None:
    assert spoken(0.25) == "0.25 seconds"
    assert spoken(1) == "1 second"
    assert spoken(90) == "1 minute 30 seconds"
    assert spoken(7 * 24 * HOUR) == "7 days"
    assert spoken(25 * HOUR + 61) == "1 day 1 hour"


async def test_actors_come_by_their_entry_the_latest_first_then_by_name() -> None:
    people = {"Cy": 5, "Ab": 9, "Di": 5, ANN: 5, "Bo": 1}
    events = [event("a", second, person) for person, second in people.items()]
    everybody = FunnelActors(funnel=funnel("ab"), step=0, outcome="dropped")
    found = await answer(everybody, PlainLoader(events), LATER)
    assert [actor.actor for actor in found.actors] == ["Ab", ANN, "Cy", "Di", "Bo"]
    for offset in range(6):
        page = await answer(replace(everybody, offset=offset, limit=2), PlainLoader(events), LATER)
        assert page.actors == found.actors[offset : offset + 2]
        assert page.total == 5


async def test_an_actor_tells_when_they_entered_and_how_far_they_came() -> None:
    query = funnel(("a", "b?", "c", "d"))
    found = await answer(FunnelActors(funnel=query, step=2), PlainLoader(history("abc", every=10)), LATER)
    assert found.actors == (FunnelActor(ANN, UUID(ANN), NOON, NOON + timedelta(seconds=20), reached=3),)
    passed = await answer(FunnelActors(funnel=query, step=1, outcome="reached"), PlainLoader(history("ab")), LATER)
    assert [actor.reached for actor in passed.actors] == [1]


async def test_actors_of_one_row_of_the_breakdown() -> None:
    events = [event("a", 0, ANN, columns={"country_code": "KE"}), event("a", 1, BOB)]
    kenya = FunnelActors(funnel=funnel("ab", by="country_code"), value="KE")
    assert [actor.actor for actor in (await answer(kenya, PlainLoader(events), LATER)).actors] == [ANN]
    assert (await answer(replace(kenya, value="UG"), PlainLoader(events), LATER)).total == 0


async def test_actors_of_what_is_not_there_are_refused() -> None:
    with pytest.raises(QueryRefused, match="so many steps"):
        await answer(FunnelActors(funnel=funnel("ab"), step=2), PlainLoader([]), LATER)
    with pytest.raises(QueryRefused, match="no breakdown"):
        await answer(FunnelActors(funnel=funnel("ab"), value="KE"), PlainLoader([]), LATER)
    with pytest.raises(QueryRefused, match="no breakdown"):
        await answer(FunnelActors(funnel=funnel("ab"), other=True), PlainLoader([]), LATER)
    with pytest.raises(QueryRefused, match="one row"):
        both = FunnelActors(funnel=funnel("ab", by="country_code"), value="KE", missing=True)
        await answer(both, PlainLoader([]), LATER)
