"""Columns of the rows of some shards of one source, one after the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np

from chatnation.core.query.frame import Coded, Codes, Mask, Numbers, Times
from chatnation.core.query.segments.client_fields import CLIENT, ClientFields
from chatnation.core.query.segments.id_numbers import IdNumbers
from chatnation.core.query.segments.ids import IdArray, compacted
from chatnation.core.query.segments.shards import Shard, Shelf, gathered

NAME = "event_name"
SPARE = 4_096
"""So many values that do not occur are no harm; with more of them than rows, only those that occur are told."""


class SourceRows:
    """The rows of shards that follow each other in time."""

    def __init__(self, shelf: Shelf, shards: Sequence[Shard]) -> None:
        self.shelf = shelf
        self.shards = [shard for shard in shards if len(shard)]

    @cached_property
    def size(self) -> int:
        return sum(map(len, self.shards))

    def named(self, names: Collection[str]) -> SourceRows:
        """The events with one of the names."""
        return SourceRows(
            self.shelf, [shard.only(named_table(shard, names)[shard.codes(NAME)]) for shard in self.shards]
        )

    def times(self, part: str) -> Times:
        if not self.shards:
            return np.empty(0, np.int64)
        return np.concatenate([shard.times(part) for shard in self.shards])

    def bounds(self, part: str) -> tuple[int, int]:
        """The first and the last time of a part that never falls; there are rows."""
        return int(self.shards[0].times(part)[0]), int(self.shards[-1].times(part)[-1])

    def texts(self, part: str) -> Coded:
        codes, values = self.shelf.texts(self.shards, part)
        return thinned(Coded(codes, values))

    def numbers(self, part: str) -> Numbers:
        return self.shelf.numbers(self.shards, part)

    def number_ids(self, part: str, numbers: IdNumbers) -> None:
        """See to it that all ids of a part have numbers."""
        self.shelf.id_places(self.shards, part, numbers)

    def person_codes(self, part: str, leafs: IdNumbers, table: Codes) -> Codes:
        """The number of each row's person; `table` has it for each leaf's, and ends with MISSING."""
        places = self.shelf.id_places(self.shards, part, leafs)
        return gathered([(table[each], shard.codes(part)) for each, shard in zip(places, self.shards, strict=True)])

    def ids(self, part: str) -> IdArray:
        """The id of each row, every one of which has one."""
        found = [ids.ids[shard.codes(part)] for shard in self.shards if (ids := shard.ids(part)) is not None]
        return np.concatenate(found) if found else np.empty((0, 2), np.uint64)

    def clients(self) -> set[int]:
        """The clients that events came from."""
        columns = [column for shard in self.shards if (column := shard.column(CLIENT)) is not None]
        return {int(number) for column in columns for number in column.values}

    def client_field(self, name: str, clients: ClientFields) -> Coded:
        """What is known of each event's client."""
        pairs = []
        for shard in self.shards:
            column = shard.column(CLIENT)
            table = clients.table(name, column.values if column is not None else [])
            pairs.append((table, shard.codes(CLIENT)))
        return Coded(gathered(pairs), clients.columns[name].texts())


def named_table(shard: Shard, names: Collection[str]) -> Mask:
    """By the code of an event's name, whether it is one of the names; at the end that of MISSING, which is none."""
    column = shard.column(NAME)
    values = column.texts() if column is not None else []
    return np.fromiter((*(value in names for value in values), False), np.bool_, len(values) + 1)


def thinned(column: Coded) -> Coded:
    """The same without the values that do not occur, where these are very many."""
    count = len(column.values)
    if count <= SPARE + len(column.codes):
        return column
    codes, used = compacted(column.codes, count)
    return column if used is None else Coded(codes, [column.values[place] for place in used.tolist()])
