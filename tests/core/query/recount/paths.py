"""What actors did next, and whose paths come to a node."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from chatnation.core.query.answers import FoundActor, PathLink, PathNode, PathsAnswer
from chatnation.core.query.model import Paths, PathsActors, PathStep
from tests.core.query.asking import (
    by_actor,
    frequent,
    inside,
    listed,
    matches,
    seconds,
)
from tests.core.query.histories import PlainEvent

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
