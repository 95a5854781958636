"""Actors in sets, and in combinations of sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from chatnation.core.query.answers import Combination, UniquesAnswer
from chatnation.core.query.model import Uniques
from tests.core.query import plain
from tests.core.query.asking import actor_of
from tests.core.query.histories import PlainEvent


def recount(query: Uniques, events: Sequence[PlainEvent], now: datetime) -> UniquesAnswer:
    members: dict[str, set[str | None]] = {}
    for named in query.sets:
        rows = plain.inside(plain.about(events, query, named.select), query.range)
        members[named.name] = {actor_of(event, query.actor) for event in rows} - {None}
    everybody = set[str | None]().union(*members.values())
    combinations = Counter(tuple(name for name in members if who in members[name]) for who in everybody)
    order = [named.name for named in query.sets]

    def place(sets: tuple[str, ...]) -> tuple[int, int]:
        """The largest first; of equal ones that of the earlier sets."""
        return -combinations[sets], sum(1 << order.index(name) for name in sets)

    return UniquesAnswer(
        {name: len(who) for name, who in members.items()},
        tuple(Combination(sets, combinations[sets]) for sets in sorted(combinations, key=place)),
        len(everybody),
    )
