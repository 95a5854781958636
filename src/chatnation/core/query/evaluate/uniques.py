"""How many different actors are in sets, and in combinations of them."""

from __future__ import annotations

import asyncio
from datetime import datetime

import numpy as np

from chatnation.core.query.answers import Combination, UniquesAnswer
from chatnation.core.query.evaluate.local import LocalFrame
from chatnation.core.query.evaluate.rows import check_actor, check_names, load, picked, relevant
from chatnation.core.query.frame import Loader, Need
from chatnation.core.query.model import Uniques


async def answer(query: Uniques, loader: Loader, now: datetime) -> UniquesAnswer:
    """Counts actors of the range; nothing of it depends on the present."""
    check_actor(query.actor, query.source)
    check_names(named.name for named in query.sets)
    frame = await load(query, loader, Need(actors=frozenset({query.actor})), (named.select for named in query.sets))
    return await asyncio.to_thread(_answer, query, frame)


def _answer(query: Uniques, frame: LocalFrame) -> UniquesAnswer:
    actors = frame.actors(query.actor)
    base = relevant(frame, query)
    # Which sets an actor is in, a bit for each.
    bits = np.zeros(len(actors.names), np.uint8)
    for place, named in enumerate(query.sets):
        codes = actors.codes[picked(frame, base, named.select, query.source).rows]
        inside = np.zeros(len(bits), np.bool_)
        inside[codes[codes >= 0]] = True
        bits |= inside.astype(np.uint8) << np.uint8(place)
    names = [named.name for named in query.sets]
    counts = np.bincount(bits, minlength=1 << len(names)).tolist()
    members = {
        pattern: tuple(n for place, n in enumerate(names) if pattern >> place & 1) for pattern in range(len(counts))
    }
    combinations = sorted(
        (pattern for pattern, count in enumerate(counts) if pattern and count),
        key=lambda pattern: (-counts[pattern], pattern),
    )
    return UniquesAnswer(
        {name: sum(count for pattern, count in enumerate(counts) if name in members[pattern]) for name in names},
        tuple(Combination(members[pattern], counts[pattern]) for pattern in combinations),
        sum(counts[1:]),
    )
