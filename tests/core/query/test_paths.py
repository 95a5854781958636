"""Paths as columns of nodes, against histories by hand and an oracle."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.answers import ActorsAnswer, FoundActor, PathLink, PathNode, PathsAnswer
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.paths import answer
from chatnation.core.query.model import Paths, PathsActors, PathStep, Range, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    by_actor,
    check_list,
    frequent,
    inside,
    listed,
    matches,
    random_case,
    random_frame,
    random_selection,
    seconds,
)
from tests.core.query.histories import PlainEvent, PlainLoader

NOON = datetime(2025, 3, 24, 12, tzinfo=UTC)
DAY = Range(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
OTHER = object()


def pieces_of(query: Paths, theirs: list[PlainEvent]) -> list[list[PlainEvent]]:
    selections = [selection for selection in (query.select, query.start, query.end) if selection is not None]
    pieces: list[list[PlainEvent]] = []
    for event in theirs:
        if not inside(event, query.range) or not any(matches(event, selection) for selection in selections):
            continue
        if pieces and seconds(event.time, pieces[-1][-1].time) <= query.gap:
            pieces[-1].append(event)
        else:
            pieces.append([event])
    return pieces


def part_of(query: Paths, piece: list[PlainEvent]) -> list[PlainEvent]:
    """What counts of a path, in order; nothing without the anchors."""
    if query.start is not None:
        while piece and not matches(piece[0], query.start):
            piece = piece[1:]
    if query.end is None:
        return piece
    shortest = 0 if query.start is None else 1
    for place, event in enumerate(piece):
        if place >= shortest and matches(event, query.end):
            return piece[: place + 1]
    return []


@dataclass(frozen=True)
class Walk:
    """Whose, and from the anchor on the values of its nodes, each with the event with which the step began."""

    actor: str
    values: list[str | None]
    events: list[PlainEvent]


def walk_of(query: Paths, actor: str, part: list[PlainEvent]) -> Walk:
    found: list[tuple[str | None, PlainEvent]] = []
    for event in part:
        value = event.value(query.node)
        if not (query.collapse and found and found[-1][0] == value):
            found.append((value, event))
    if is_backwards(query):
        found.reverse()
    return Walk(actor, [value for value, _ in found], [event for _, event in found])


def is_backwards(query: Paths) -> bool:
    return query.end is not None and query.start is None


def walks_of(query: Paths, events: list[PlainEvent]) -> list[Walk]:
    return [
        walk_of(query, actor, part)
        for actor, theirs in by_actor(events, query, query.actor).items()
        for piece in pieces_of(query, theirs)
        if (part := part_of(query, piece))
    ]


def kept_of(query: Paths, walks: list[Walk]) -> list[list[str | None]]:
    """The values of each column that are not other."""
    columns = [
        Counter(walk.values[place] for walk in walks if len(walk.values) > place) for place in range(query.depth)
    ]
    return [frequent(dict(counts), query.nodes) for counts in columns]


def recount(query: Paths, events: list[PlainEvent]) -> PathsAnswer:
    walks = walks_of(query, events)
    paths = [walk.values for walk in walks]
    backwards = is_backwards(query)
    kept = kept_of(query, walks)

    def node(path: list[str | None], place: int) -> tuple[int, Any]:
        return place, path[place] if path[place] in kept[place] else OTHER

    counts = Counter(node(path, place) for path in paths for place in range(min(len(path), query.depth)))
    ended = Counter(node(path, len(path) - 1) for path in paths if len(path) <= query.depth)
    order = [
        (place, value)
        for place in (range(query.depth)[::-1] if backwards else range(query.depth))
        for value in (*kept[place], OTHER)
        if counts[place, value]
    ]
    pairs: Counter[tuple[int, int]] = Counter()
    for path in paths:
        for place in range(min(len(path), query.depth) - 1):
            pair = order.index(node(path, place)), order.index(node(path, place + 1))
            pairs[pair[::-1] if backwards else pair] += 1
    return PathsAnswer(
        len(paths),
        tuple(
            PathNode(
                -place if backwards else place,
                None if value is OTHER else value,
                counts[place, value],
                value is OTHER,
                ended[place, value],
            )
            for place, value in order
        ),
        tuple(PathLink(*pair, count) for pair, count in sorted(pairs.items())),
    )


def behind(asked: PathsActors, events: list[PlainEvent]) -> tuple[FoundActor, ...]:
    """The walks that come to the nodes asked for, one after the other."""
    query = asked.paths
    walks = walks_of(query, events)
    kept = kept_of(query, walks)
    steps = [step for step in (asked.at, asked.to) if step is not None]

    def comes_to(walk: Walk, step: PathStep) -> bool:
        place = -step.column if is_backwards(query) else step.column
        if not 0 <= place < min(len(walk.values), query.depth):
            return False
        value = walk.values[place]
        return value not in kept[place] if step.other else value == step.value and value in kept[place]

    furthest = max(abs(step.column) for step in steps)
    rows = [(walk.actor, walk.events[furthest].time) for walk in walks if all(comes_to(walk, step) for step in steps)]
    return listed(rows, query.actor)


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
