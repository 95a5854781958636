"""Paths as columns of nodes, against histories by hand and an oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.answers import ActorsAnswer, FoundActor, PathNode, PathsAnswer
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.paths import answer
from chatnation.core.query.model import Paths, PathsActors, PathStep, Range, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    check_list,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.paths import behind, recount

NOON = datetime(2025, 3, 24, 12, tzinfo=UTC)
DAY = Range(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def random_question(random: Random, beginning: datetime) -> Paths:
    return Paths(
        **random_frame(random, beginning),
        select=random_selection(random),
        node=random.choice(("event_name", "country_code", "properties.x")),
        start=random.choice((None, random_selection(random))),
        end=random.choice((None, random_selection(random))),
        depth=random.choice((2, 3, 5)),
        nodes=random.choice((1, 2, 8)),
        collapse=random.random() < 0.5,
        gap=random.choice((0.5, 1800, 86_400, 5 * 86_400)),
        actor=random.choice(("person", "person", "session", "country_code")),
    )


@pytest.mark.parametrize("first", range(0, 600, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = random_question(random, beginning)
        found = await answer(query, PlainLoader(events), now)
        assert found == recount(query, events), (number, query)
        if found.nodes:
            node = random.choice(found.nodes)
            asked = PathsActors(paths=query, at=step_of(node))
            await check_list(asked, events, now, behind(asked, events), node.count)
        if found.links:
            link = random.choice(found.links)
            source, target = found.nodes[link.source], found.nodes[link.target]
            asked = PathsActors(paths=query, at=step_of(source), to=step_of(target))
            await check_list(asked, events, now, behind(asked, events), link.count)


def step_of(node: PathNode) -> PathStep:
    return PathStep(node.column, node.value, node.other)


async def test_nobody_is_behind_a_node_that_there_is_not() -> None:
    for step in (PathStep(0, "z"), PathStep(0, other=True), PathStep(7, "a"), PathStep(-1, "a"), PathStep(0)):
        asked = PathsActors(paths=Paths(range=DAY), at=step)
        assert await evaluate(asked, PlainLoader(walk("ab")), NOON) == ActorsAnswer((), 0)
    with pytest.raises(QueryRefused, match="next column"):
        jump = PathsActors(paths=Paths(range=DAY), at=PathStep(0, "a"), to=PathStep(2, "c"))
        await evaluate(jump, PlainLoader(walk("abc")), NOON)


async def test_whoever_goes_a_way_twice_is_in_its_list_twice() -> None:
    asked = PathsActors(paths=Paths(range=DAY), at=PathStep(0, "a"), to=PathStep(1, "b"))

    found = await evaluate(asked, PlainLoader(walk("ab ab")), NOON)

    assert found == ActorsAnswer(
        tuple(FoundActor("ann", None, NOON + timedelta(minutes=minutes)) for minutes in (64, 2)), 2
    )


@pytest.mark.parametrize("first", range(0, 200, 50))
async def test_what_flows_into_a_node_flows_out_or_ends_there(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = random_question(random, beginning)
        found = await answer(query, PlainLoader(events), now)
        outward = -1 if query.start is None and query.end is not None else 1
        for place, node in enumerate(found.nodes):
            arriving = sum(link.count for link in found.links if link.target == place)
            leaving = sum(link.count for link in found.links if link.source == place)
            towards, away = (arriving, leaving) if outward == 1 else (leaving, arriving)
            assert node.column == 0 or node.count == towards
            assert abs(node.column) == query.depth - 1 or node.count == away + node.ended


def walk(text: str, person: str = "ann", beginning: datetime = NOON) -> list[PlainEvent]:
    """One event a minute for each letter; a blank is a pause of an hour."""
    events, time = [], beginning
    for letter in text:
        time += timedelta(minutes=60 if letter == " " else 1)
        if letter != " ":
            events.append(PlainEvent(time, letter, person))
    return events


async def flows(*walks: str, **options: Any) -> tuple[int, dict[int, dict[str | None, int]], set[str]]:
    """Paths, the nodes of each column, and the links as `a-b 2`; `*` is other."""
    events = [event for number, text in enumerate(walks) for event in walk(text, f"person {number}")]
    found = await answer(Paths(range=DAY, **options), PlainLoader(events), NOON)
    columns: dict[int, dict[str | None, int]] = {}
    for node in found.nodes:
        columns.setdefault(node.column, {})["*" if node.other else node.value] = node.count
    shown = ["*" if node.other else node.value for node in found.nodes]
    return found.paths, columns, {f"{shown[link.source]}-{shown[link.target]} {link.count}" for link in found.links}


async def test_paths_begin_anew_after_a_pause() -> None:
    assert await flows("ab ac", "b") == (3, {0: {"a": 2, "b": 1}, 1: {"b": 1, "c": 1}}, {"a-b 1", "a-c 1"})


async def test_paths_after_an_event_begin_with_its_first_occurrence() -> None:
    start = Selection(("s",))

    assert await flows("xsabsc", "xx", "sb", start=start, depth=3) == (
        2,
        {0: {"s": 2}, 1: {"a": 1, "b": 1}, 2: {"b": 1}},
        {"s-a 1", "s-b 1", "a-b 1"},
    )


async def test_paths_before_an_event_count_down_to_its_first_occurrence() -> None:
    assert await flows("abece", "be", end=Selection(("e",)), depth=3) == (
        2,
        {-2: {"a": 1}, -1: {"b": 2}, 0: {"e": 2}},
        {"a-b 1", "b-e 2"},
    )


async def test_paths_between_two_events_need_both_in_their_order() -> None:
    between = {"start": Selection(("s",)), "end": Selection(("e",))}

    assert await flows("xsaeb", "eas", "s e", "se", **between) == (
        2,
        {0: {"s": 2}, 1: {"a": 1, "e": 1}, 2: {"e": 1}},
        {"s-a 1", "s-e 1", "a-e 1"},
    )


async def test_an_anchor_is_a_step_even_where_the_steps_are_others() -> None:
    assert await flows("sxa", select=Selection(("a",)), start=Selection(("s",))) == (
        1,
        {0: {"s": 1}, 1: {"a": 1}},
        {"s-a 1"},
    )


async def test_repetitions_are_one_step_unless_asked_otherwise() -> None:
    assert (await flows("aab"))[1] == {0: {"a": 1}, 1: {"b": 1}}
    assert (await flows("aab", collapse=False))[1] == {0: {"a": 1}, 1: {"a": 1}, 2: {"b": 1}}


async def test_rare_nodes_are_told_together() -> None:
    assert await flows("ab", "ab", "ac", "ad", nodes=1) == (4, {0: {"a": 4}, 1: {"b": 2, "*": 2}}, {"a-b 2", "a-* 2"})


async def test_a_node_tells_how_many_paths_end_there() -> None:
    events = [*walk("abc", "ann"), *walk("ab", "bob"), *walk("a", "cem")]
    found = await answer(Paths(range=DAY, depth=2), PlainLoader(events), NOON)

    assert found.nodes == (PathNode(0, "a", 3, ended=1), PathNode(1, "b", 2, ended=1))
    assert await answer(Paths(range=DAY), PlainLoader([]), NOON) == PathsAnswer(0, (), ())
