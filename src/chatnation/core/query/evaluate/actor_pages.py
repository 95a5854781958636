"""Pages of those who are behind a number: the latest first, those of one moment by their labels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from chatnation.core.query.answers import ActorsAnswer, FoundActor
from chatnation.core.query.evaluate.acts import Acts
from chatnation.core.query.frame import Rows, Times
from chatnation.core.query.model import Listing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def page_of(query: Listing, times: Times, label: Callable[[int], str]) -> list[int]:
    """Which of some rows are on the page asked for, by their times and labels.

    Equals stay in their order. Labels are only made for the rows that are as late as somebody on the page.
    """
    order = np.argsort(-times, kind="stable")
    if query.offset >= len(order):
        return []
    latest, earliest = times[order[query.offset]], times[order[query.offset : query.offset + query.limit][-1]]
    near = np.flatnonzero((times >= earliest) & (times <= latest))
    before = int(np.count_nonzero(times > latest))
    ordered = sorted(near.tolist(), key=lambda row: (-int(times[row]), label(row), row))
    return ordered[query.offset - before : query.offset - before + query.limit]


def actors_page(query: Listing, did: Acts, actor: str, places: Rows) -> ActorsAnswer:
    """A page of actors, of which each did at a place what puts them in the list."""
    times, actors = did.times(places), did.frame.actors(actor)
    codes = actors.codes[did.order.rows[places]]
    page = page_of(query, times, lambda row: actors.names.label(int(codes[row])))
    found = tuple(
        FoundActor(
            actors.names.label(code),
            actors.names.person(code) if actor == "person" else None,
            instant(int(times[row])),
        )
        for row, code in ((row, int(codes[row])) for row in page)
    )
    return ActorsAnswer(found, len(places))


def instant(moment: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=moment)
