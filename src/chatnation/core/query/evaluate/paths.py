"""What actors did one thing after the other, as columns of nodes with links between them.

A path is a stretch of an actor's rows in the range without a pause longer than `gap`. Of each path counts the part that
its first anchor marks: from the first `start` on; or up to the first `end`; or, with both, from the first `start` up
to the next `end` after it. A path without its anchors does not count; without any in the question, each counts whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import PathLink, PathNode, PathsAnswer
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.frequency import Frequency, most_frequent
from chatnation.core.query.evaluate.ordering import next_match
from chatnation.core.query.frame import Codes, Loader, Need, Rows
from chatnation.core.query.model import Paths

_ABSENT = -1


@dataclass(frozen=True, slots=True)
class _Walks:
    """Steps are numbered through all paths: `codes[step]` is the value of its node.

    A walk goes from step `first` to step `last`, by +1 or, before an anchor, by -1.
    """

    codes: Codes
    first: Rows
    last: Rows
    direction: int

    @property
    def lengths(self) -> Rows:
        lengths: Rows = np.abs(self.last - self.first) + 1
        return lengths


@dataclass(frozen=True, slots=True)
class _Column:
    """The nodes of a column. `places`: of each walk its node, or _ABSENT. `ended`: walks that end there, by node."""

    number: int
    ranked: Frequency
    places: NDArray[np.int16]
    ended: NDArray[np.intp]

    def nodes(self) -> Iterator[PathNode]:
        for value, count, ended in zip(self.ranked.values, self.ranked.counts, self.ended, strict=False):
            yield PathNode(self.number, value, int(count), ended=int(ended))
        if self.ranked.beyond:
            yield PathNode(self.number, None, int(self.ranked.counts[-1]), other=True, ended=int(self.ended[-1]))


async def answer(query: Paths, loader: Loader, now: datetime) -> PathsAnswer:
    """The nodes, column by column and the most frequent of each first, and the links between them."""
    node = field_of(query.node, query.source)
    anchors = tuple(anchor for anchor in (query.start, query.end) if anchor is not None)
    stretch = query.range.start, query.range.end
    did = await acts(query, query.actor, (query.select, *anchors), loader, stretch, Need(columns=frozenset({node})))
    column = did.frame.column(node)
    walks = _walks(query, did, column.codes[did.order.rows])
    columns = list(_columns(query, walks, column.values))
    return _answer(len(walks.first), columns[:: walks.direction])


def _walks(query: Paths, did: Acts, codes: Codes) -> _Walks:
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
    first, last = step_of[first[counted]], step_of[last[counted]]
    if query.end is not None and query.start is None:
        return _Walks(codes[head], last, first, -1)
    return _Walks(codes[head], first, last, 1)


def _bounds(query: Paths, did: Acts) -> Rows:
    """Where each path begins, and at last the number of places."""
    cut = np.zeros(did.order.size, np.bool_)
    cut[1:] = np.diff(did.time) > timedelta(seconds=query.gap) // timedelta(microseconds=1)
    cut[did.order.bounds[:-1]] = True
    return np.append(np.flatnonzero(cut), did.order.size)


def _columns(query: Paths, walks: _Walks, values: Sequence[str]) -> Iterator[_Column]:
    """The columns, outwards from the anchor."""
    lengths = walks.lengths
    for number in range(query.depth):
        there = np.flatnonzero(lengths > number)
        if not len(there):
            return
        ranked = most_frequent(walks.codes[walks.first[there] + walks.direction * number], values, query.nodes)
        ended = np.bincount(ranked.places[lengths[there] == number + 1], minlength=len(ranked.counts))
        places = np.full(len(lengths), _ABSENT, np.int16)
        places[there] = ranked.places
        yield _Column(number * walks.direction, ranked, places, ended)


def _answer(paths: int, columns: list[_Column]) -> PathsAnswer:
    """The answer, of columns in rising order."""
    nodes: list[PathNode] = []
    links: list[PathLink] = []
    for number, column in enumerate(columns):
        nodes += column.nodes()
        if number + 1 < len(columns):
            links += _links(column, columns[number + 1], len(nodes))
    return PathsAnswer(paths, tuple(nodes), tuple(links))


def _links(source: _Column, target: _Column, behind: int) -> Iterator[PathLink]:
    """Links between two columns. `behind`: the place in the answer behind the last node of the first of them."""
    sources = behind - len(list(source.nodes()))
    both = (source.places != _ABSENT) & (target.places != _ABSENT)
    width = len(target.ranked.counts)
    counts = np.bincount(source.places[both] * width + target.places[both])
    for pair in np.flatnonzero(counts).tolist():
        place, place_after = divmod(pair, width)
        yield PathLink(sources + place, behind + place_after, int(counts[pair]))
