"""What actors did one thing after the other, as columns of nodes with links between them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from chatnation.core.query.answers import PathLink, PathNode, PathsAnswer
from chatnation.core.query.evaluate.walks import Column, walks_of
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Paths


async def answer(query: Paths, loader: Loader, now: datetime) -> PathsAnswer:
    """The nodes, column by column and the most frequent of each first, and the links between them."""
    walks = await walks_of(query, loader)
    columns = list(walks.columns())[:: walks.direction]
    nodes: list[PathNode] = []
    links: list[PathLink] = []
    for number, column in enumerate(columns):
        nodes += column.nodes()
        if number + 1 < len(columns):
            links += _links(column, columns[number + 1], len(nodes))
    return PathsAnswer(walks.size, tuple(nodes), tuple(links))


def _links(source: Column, target: Column, behind: int) -> Iterator[PathLink]:
    """Links between two columns. `behind`: the place in the answer behind the last node of the first of them."""
    sources = behind - len(list(source.nodes()))
    both = source.there & target.there
    width = len(target.ranked.counts)
    counts = np.bincount(source.places[both] * width + target.places[both])
    for pair in np.flatnonzero(counts).tolist():
        place, place_after = divmod(pair, width)
        yield PathLink(sources + place, behind + place_after, int(counts[pair]))
