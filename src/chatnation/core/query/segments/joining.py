"""Events and the sessions that they belong to: which row of the sessions' shards each row of the events' shards has.

Most shards are of days long past, with the same sessions in every question, so what was found for one is kept.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from chatnation.core.query.frame import MISSING, Codes
from chatnation.core.query.segments.cache import Cache
from chatnation.core.query.segments.chunk import VISIT
from chatnation.core.query.segments.ids import unique_ids
from chatnation.core.query.segments.shards import Shard
from chatnation.core.query.segments.source_rows import NAME, named_table
from chatnation.core.query.segments.sources import ENDED, TIME
from chatnation.core.query.segments.visits import SessionTimes


@dataclass(frozen=True, slots=True)
class _Sessions:
    """A shard of sessions: from when to when there are any, and which row of all it begins with."""

    shard: Shard
    first: int
    latest: int
    offset: int


def sessions_of(
    cache: Cache, tenant_id: int, events: Sequence[Shard], sessions: Sequence[Shard], ignored: frozenset[str]
) -> Codes:
    """For each event, of all shards in a row, the row of its session among those of all shards, or MISSING.

    `ignored` are names of events that belong to none.
    """
    offsets = np.cumsum([0, *map(len, sessions)]).tolist()
    known = [
        _Sessions(shard, int(shard.times(TIME)[0]), int(shard.times(ENDED).max()), offset)
        for shard, offset in zip(sessions, offsets, strict=False)
    ]
    found = np.empty(sum(map(len, events)), np.int32)
    end = 0
    for shard in events:
        start, end = end, end + len(shard)
        found[start:end] = _of_shard(cache, tenant_id, shard, known, ignored)
    return found


def _of_shard(
    cache: Cache, tenant_id: int, events: Shard, sessions: Sequence[_Sessions], ignored: frozenset[str]
) -> Codes:
    # Of the whole chunk, whatever rows of it are wanted, so that it is good for other questions too.
    whole = Shard(events.key, events.parts, events.size)
    times = whole.times(TIME)
    near = [each for each in sessions if each.first <= times[-1] and each.latest >= times[0]]
    key: Hashable = (tenant_id, "visits", events.key, *(each.shard.name for each in near))
    places: Codes | None = cache.get(key)
    if places is None:
        places = _join(whole, [each.shard for each in near], ignored)
        cache.put(key, places, places.nbytes)
    rows = [np.arange(each.offset, each.offset + len(each.shard), dtype=np.int32) for each in near]
    table = np.concatenate([*rows, np.array([MISSING], np.int32)])
    return table[places if events.rows is None else places[events.rows]]


def _join(events: Shard, sessions: Sequence[Shard], ignored: frozenset[str]) -> Codes:
    """The row of each event's session among those of some shards in a row."""
    ids = [part.ids for shard in (events, *sessions) if (part := shard.ids(VISIT)) is not None]
    numbers = np.split(unique_ids(np.concatenate(ids))[1], np.cumsum(list(map(len, ids)))[:-1])
    tables = [np.append(each, np.int32(MISSING)) for each in numbers]
    visits = [table[shard.codes(VISIT)] for table, shard in zip(tables, (events, *sessions), strict=True)]
    if not sessions:
        return np.full(len(events), MISSING, np.int32)
    count = int(max(map(np.max, tables))) + 1
    times = SessionTimes.of(
        np.concatenate(visits[1:]),
        np.concatenate([shard.times(TIME) for shard in sessions]),
        np.concatenate([shard.times(ENDED) for shard in sessions]),
        count,
    )
    of_events = np.where(named_table(events, ignored)[events.codes(NAME)], np.int32(MISSING), visits[0])
    return times.find(of_events, events.times(TIME))
