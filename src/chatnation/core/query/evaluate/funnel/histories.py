"""The rows that matter to a funnel, one actor after the other, and where in them each step can be found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.conditions import EVENT_NAME, meets, selected
from chatnation.core.query.evaluate.funnel.plan import JOURNEY_END, JOURNEY_START, Plan
from chatnation.core.query.evaluate.ordering import by_actor, run_bounds
from chatnation.core.query.evaluate.rows import relevant
from chatnation.core.query.frame import Actors, ArrayFrame, Coded, Codes, Frame, Mask, Rows, Times
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Filter, Range, Selection

Bits = NDArray[np.uint32]

_OWN, _ENTRY = np.uint32(1 << 31), np.uint32(1 << 30)
"""Bits of rows that are of any step, flags or no flags, and of those that may begin a chain.

There are at most 30 selections.
"""


@dataclass(frozen=True, slots=True)
class Histories:
    """Rows in the order of actors, and of events within an actor: *places* are positions in this order.

    `rows` are those of the frame, and `actors` the codes of all that it has. `time` (microseconds) has a moment after
    all others behind the last place. `bounds` are the places where a history begins, and at last their number. `steps`
    and `exclusions` hold the places that match each of them, `own`, in strict order, those of any step's selection;
    each is followed by the number of places. `entries` may begin a chain: those of an actor lie together, the earlier
    ones first.
    """

    frame: Frame
    rows: Rows
    time: Times
    actors: Codes
    bounds: Rows
    steps: tuple[Rows, ...]
    exclusions: tuple[Rows, ...]
    own: Rows
    entries: Rows

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.rows)

    def actor_of(self, places: Rows) -> Codes:
        """Whose each place is."""
        return self.actors[self.rows[places]]

    def end_of(self, places: Rows) -> Rows:
        """The place behind the last of the same history."""
        ends: Rows = self.bounds[np.searchsorted(self.bounds, places, side="right")]
        return ends


def next_of(found: Rows, places: Rows) -> Rows:
    """The first of `found` after each place; the number of places where there is none."""
    following: Rows = found[np.minimum(np.searchsorted(found, places, side="right"), len(found) - 1)]
    return following


def histories(frame: Frame, plan: Plan, stretch: Range) -> Histories:
    """The histories of all actors with an entry in the stretch."""
    bits = _marked_bits(frame, plan, stretch)
    actors = frame.actors(plan.query.actor)
    kept = np.flatnonzero(_of_entered(actors, bits))
    sequences = by_actor(_groups([actors.codes[kept], *(frame.column(field).codes[kept] for field in plan.constant)]))
    rows = kept[sequences.rows]
    bits = bits[rows]
    steps = len(plan.query.steps)
    found = tuple(_places(bits & np.uint32(1 << place) != 0) for place in range(len(plan.selections)))
    made = Histories(
        frame,
        rows,
        np.append(frame.time[rows], np.iinfo(np.int64).max),
        actors.codes,
        sequences.bounds,
        found[:steps],
        found[steps:],
        _places(bits & _OWN != 0),
        np.flatnonzero(bits & _ENTRY != 0),
    )
    return replace(made, entries=_entries(made, plan))


def _marked_bits(frame: Frame, plan: Plan, stretch: Range) -> Bits:
    """The bits of `selected_bits` and the marks, all of them 0 in rows that the question is not about."""
    bits = selected_bits(frame, plan)
    if plan.query.order == "strict":
        bits |= np.where(bits & _lowest(len(plan.query.steps)) != 0, _OWN, np.uint32(0))
    require_flags(bits, frame, plan)
    bits *= _counted(frame, plan)
    inside = bits[slice(*np.searchsorted(frame.time, (micros(stretch.start), micros(stretch.end))))]
    inside |= np.where(inside & _entry_bits(plan) != 0, _ENTRY, np.uint32(0))
    return bits


def _of_entered(actors: Actors, bits: Bits) -> Mask:
    """The rows that matter of actors with an entry."""
    entered = np.zeros(len(actors.names) + 1, np.bool_)
    entered[actors.codes[bits & _ENTRY != 0]] = True
    matter: Mask = entered[actors.codes]
    matter &= bits != 0
    return matter


def _entries(found: Histories, plan: Plan) -> Rows:
    entries = found.entries
    if plan.constant:
        entries = entries[np.lexsort((found.rows[entries], found.actor_of(entries)))]
    if plan.query.entry == "first":
        entries = entries[run_bounds(found.actor_of(entries))[:-1]]
    return entries


def _entry_bits(plan: Plan) -> np.uint32:
    steps = len(plan.query.steps)
    if not plan.any_order or plan.query.anchor_first:
        return _lowest(1)
    return _lowest(steps - 1 if plan.query.anchor_last and steps > 1 else steps)


def _lowest(count: int) -> np.uint32:
    return np.uint32((1 << count) - 1)


def _places(mask: Mask) -> Rows:
    return np.append(np.flatnonzero(mask), len(mask))


def _counted(frame: Frame, plan: Plan) -> Mask:
    """The rows that the question is about at all."""
    counted = relevant(frame, plan.query)
    counted &= frame.actors(plan.query.actor).codes >= 0
    for field in plan.constant:
        counted &= frame.column(field).codes >= 0
    return counted


def _groups(columns: list[Codes]) -> Codes:
    """One code for each combination of codes."""
    groups = columns[0]
    for codes in columns[1:]:
        keys = groups.astype(np.int64) << 32 | codes
        groups = np.unique(keys, return_inverse=True)[1].astype(np.int32)
    return groups


def selected_bits(frame: Frame, plan: Plan) -> Bits:
    """Bit i of a row tells whether it is of selection i. All names are looked up at once."""
    selections = [(np.uint32(1 << place), selection) for place, selection in enumerate(plan.selections)]
    plain = sum((bit for bit, selection in selections if not selection.filters), np.uint32(0))
    bits = _named(frame, plan)
    if any(selection.filters for _, selection in selections):
        by_name, bits = bits, bits & plain
        for bit, selection in selections:
            if selection.filters:
                bits |= np.where(meets(frame, selection.filters, plan.query.source), by_name & bit, np.uint32(0))
    return bits


def _named(frame: Frame, plan: Plan) -> Bits:
    """Bit i of a row tells whether its name is one of selection i, decided once for each name."""
    if not plan.reads_names:
        return np.full(frame.size, _lowest(len(plan.selections)))
    column = frame.column(EVENT_NAME)
    count = len(column.values)
    names = ArrayFrame(np.zeros(count, np.int64), {EVENT_NAME: Coded(np.arange(count, dtype=np.int32), column.values)})
    table = np.zeros(count + 1, np.uint32)
    for place, selection in enumerate(plan.selections):
        table[:-1] |= selected(names, Selection(selection.events), plan.query.source) * np.uint32(1 << place)
    return table[column.codes]


def require_flags(bits: Bits, frame: Frame, plan: Plan) -> None:
    """With journey flags, takes the first step from rows that start no journey, the last from those that end none."""
    if plan.query.journey_flags:
        for step, field in ((0, JOURNEY_START), (plan.backbone[-1], JOURNEY_END)):
            flagged = meets(frame, (Filter(str(field), "is", (True,)),), plan.query.source)
            bits[~flagged] &= ~np.uint32(1 << step)
