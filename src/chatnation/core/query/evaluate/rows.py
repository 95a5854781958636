"""The rows that a question is about: loaded in its range, without bots unless it wants them, and by its conditions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chatnation.core.query.evaluate.conditions import (
    IS_BOT,
    field_of,
    meets,
    need_of_conditions,
    need_of_selections,
    selected,
)
from chatnation.core.query.evaluate.local import LocalFrame, localized
from chatnation.core.query.fields import WHO, actor_parts
from chatnation.core.query.frame import Frame, Loader, Mask, Need, Rows
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Filter, Question, Range, Selection, Source
from chatnation.core.query.store import QueryRefused

_NO_BOTS = Filter("is_bot", "is_not", (True,))


@dataclass(frozen=True, slots=True)
class Picked:
    """Some rows of a frame, by their places in it, in order."""

    frame: LocalFrame
    rows: Rows

    def within(self, stretch: Range) -> Picked:
        """Those of a stretch of time."""
        bounds = np.array([micros(stretch.start), micros(stretch.end)], np.int64)
        first, last = np.searchsorted(self.rows, np.searchsorted(self.frame.time, bounds))
        return Picked(self.frame, self.rows[first:last])


async def load(
    query: Question,
    loader: Loader,
    need: Need,
    selections: Iterable[Selection],
    stretch: tuple[datetime | None, datetime] | None = None,
) -> LocalFrame:
    """The rows of the range, or of another stretch of time, with what `need`, `relevant` and the selections read.

    Rows that none of the selections has may be missing.
    """
    selections = tuple(selections)
    need |= need_of(query, selections)
    start, end = stretch or (query.range.start, query.range.end)
    local, names = localized(loader, query.range.zone), event_names(selections)
    firsts = [selection for selection in selections if selection.first]
    if not firsts:
        return await local.load(start, end, need, names)
    for selection in firsts:
        need |= _need_of_first(selection, query.source)
    ever = await local.load(None, end, need, names)
    known = LocalFrame(
        ever.frame, ever.zone, {repr(selection): _firsts(ever, selection, query) for selection in firsts}
    )
    return known if start is None else known.take(np.arange(np.searchsorted(ever.time, micros(start)), ever.size))


def _need_of_first(selection: Selection, source: Source) -> Need:
    """What the rows that are the first of their actor are found by."""
    assert selection.first is not None
    check_actor(selection.first.per, source)
    return Need(actors=frozenset({selection.first.per})) | need_of_conditions(selection.first.among, source)


def _firsts(ever: LocalFrame, selection: Selection, query: Question) -> Mask:
    """The rows that `first` of a selection means, in a frame of all of time."""
    assert selection.first is not None
    candidates = selected(ever, Selection(selection.events, selection.first.among), query.source)
    if not query.include_bots:
        candidates &= meets(ever, (_NO_BOTS,), query.source)
    rows = np.flatnonzero(candidates)
    actors = ever.actors(selection.first.per)
    codes = actors.codes[rows]
    first = np.full(len(actors.names), ever.size, np.intp)
    known = codes >= 0
    np.minimum.at(first, codes[known], rows[known])
    mask = np.zeros(ever.size, np.bool_)
    mask[rows] = ~known | (first[codes] == rows) if len(first) else True
    return candidates & ~mask if selection.first.later else mask


def need_of(query: Question, selections: Iterable[Selection]) -> Need:
    """What `relevant` and selections read."""
    need = need_of_conditions(query.filters, query.source) | need_of_selections(selections, query.source)
    return need if query.include_bots else need | Need(columns=frozenset({IS_BOT}))


def relevant(frame: Frame, query: Question) -> Mask:
    """The rows that the question is about: those that meet its conditions, without bots unless it includes them."""
    mask = meets(frame, query.filters, query.source)
    if not query.include_bots:
        mask &= meets(frame, (_NO_BOTS,), query.source)
    return mask


def picked(frame: LocalFrame, mask: Mask, selection: Selection, source: Source) -> Picked:
    """The rows of a selection where the mask holds."""
    if selection == Selection():
        return Picked(frame, np.flatnonzero(mask))
    return Picked(frame, np.flatnonzero(mask & selected(frame, selection, source)))


def event_names(selections: Iterable[Selection]) -> frozenset[str]:
    """The names of all events that selections have; empty where one of them has any."""
    names = [selection.events for selection in selections]
    return frozenset(name for some in names for name in some) if all(names) else frozenset()


def check_actor(actor: str, source: Source) -> None:
    """Refuses what cannot be an actor."""
    for kind in actor_parts(actor):
        if kind not in WHO and any(part.scope == "time" for part in field_of(kind, source).parts):
            raise QueryRefused(f"A part of the time cannot be an actor: {actor}.")


def check_names(names: Iterable[str]) -> None:
    """Refuses names that are used twice: an answer could not tell one from the other."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise QueryRefused(f"The name {name!r} is used twice.")
        seen.add(name)
