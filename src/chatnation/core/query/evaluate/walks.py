"""What actors did one after the other, as walks through columns of nodes.

A path is a stretch of an actor's rows in the range without a pause longer than `gap`. Of each path counts the part that
its first anchor marks, and is its walk: from the first `start` on; or up to the first `end`; or, with both, from the
first `start` up to the next `end` after it. A path without its anchors does not count; without any in the question,
each counts whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import PathNode
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.frequency import Frequency, most_frequent
from chatnation.core.query.evaluate.ordering import next_match
from chatnation.core.query.frame import Codes, Loader, Mask, Need, Rows
from chatnation.core.query.model import Paths, PathStep

_ABSENT = -1


@dataclass(frozen=True, slots=True)
class Column:
    """The nodes of a column. `places`: of each walk its node, or _ABSENT. `ended`: walks that end there, by node."""

    number: int
    ranked: Frequency
    places: NDArray[np.int16]
    ended: NDArray[np.intp]

    def nodes(self) -> Iterator[PathNode]:
        """The nodes, as answers have them: the place of each is its own."""
        for value, count, ended in zip(self.ranked.values, self.ranked.counts, self.ended, strict=False):
            yield PathNode(self.number, value, int(count), ended=int(ended))
        if self.ranked.beyond:
            yield PathNode(self.number, None, int(self.ranked.counts[-1]), other=True, ended=int(self.ended[-1]))

    @property
    def there(self) -> Mask:
        """Which walks come here."""
        there: Mask = self.places != _ABSENT
        return there

    def at(self, step: PathStep) -> Mask:
        """Which walks come to a node of this column."""
        values = self.ranked.values
        if not step.other and step.value not in values:
            return np.zeros(len(self.places), np.bool_)
        at: Mask = self.places == (len(values) if step.other else values.index(step.value))
        return at


@dataclass(frozen=True, slots=True)
class Walks:
    """Steps are numbered through all paths: `codes[step]` is the value of its node, `heads[step]` its first place.

    A walk goes from step `first` to step `last`, by +1 or, before an anchor, by -1; `begins` is its earliest place.
    """

    query: Paths
    did: Acts
    values: Sequence[str]
    codes: Codes
    heads: Rows
    first: Rows
    last: Rows
    begins: Rows
    direction: int

    @property
    def size(self) -> int:
        return len(self.first)

    @property
    def lengths(self) -> Rows:
        """How many steps each has."""
        lengths: Rows = np.abs(self.last - self.first) + 1
        return lengths

    def columns(self) -> Iterator[Column]:
        """The columns, outwards from the anchor."""
        lengths = self.lengths
        for number in range(self.query.depth):
            there = np.flatnonzero(lengths > number)
            if not len(there):
                return
            ranked = most_frequent(self.codes[self._step(there, number)], self.values, self.query.nodes)
            ended = np.bincount(ranked.places[lengths[there] == number + 1], minlength=len(ranked.counts))
            places = np.full(len(lengths), _ABSENT, np.int16)
            places[there] = ranked.places
            yield Column(number * self.direction, ranked, places, ended)

    def places(self, walks: Rows, column: int) -> Rows:
        """Where some walks, which have a step in a column, come to it."""
        # A step that two paths share has its first place in the earlier one.
        return np.maximum(self.heads[self._step(walks, abs(column))], self.begins[walks])

    def _step(self, walks: Rows, number: int) -> Rows:
        steps: Rows = self.first[walks] + self.direction * number
        return steps


async def walks_of(query: Paths, loader: Loader) -> Walks:
    """The walks of all paths that count."""
    node = field_of(query.node, query.source)
    anchors = tuple(anchor for anchor in (query.start, query.end) if anchor is not None)
    stretch = query.range.start, query.range.end
    did = await acts(query, query.actor, (query.select, *anchors), loader, stretch, Need(columns=frozenset({node})))
    column = did.frame.column(node)
    codes = column.codes[did.order.rows]
    bounds = _bounds(query, did)
    begins, ends = bounds[:-1], bounds[1:]
    # A step is a row, or a run of rows with the same node. One that two paths share is a step of each, with that node.
    head = np.ones(len(codes), np.bool_)
    if query.collapse:
        head[1:] = codes[1:] != codes[:-1]
    step_of = np.cumsum(head) - 1
    first, last = begins, ends - 1
    if query.start is not None:
        first = next_match(did.matching(1))[begins]
    if query.end is not None and query.start is not None:
        last = next_match(did.matching(2))[np.minimum(first + 1, len(codes))]
    elif query.end is not None:
        last = next_match(did.matching(1))[begins]
    counted = np.flatnonzero((first < ends) & (last < ends))
    begins, first, last = first[counted], step_of[first[counted]], step_of[last[counted]]
    outwards, direction = (first, last), 1
    if query.end is not None and query.start is None:
        outwards, direction = (last, first), -1
    return Walks(query, did, column.values, codes[head], np.flatnonzero(head), *outwards, begins, direction)


def _bounds(query: Paths, did: Acts) -> Rows:
    """Where each path begins, and at last the number of places."""
    cut = np.zeros(did.order.size, np.bool_)
    cut[1:] = np.diff(did.time) > timedelta(seconds=query.gap) // timedelta(microseconds=1)
    cut[did.order.bounds[:-1]] = True
    return np.append(np.flatnonzero(cut), did.order.size)
