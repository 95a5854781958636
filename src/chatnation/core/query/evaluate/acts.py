"""What actors did: the rows of some selections, one actor after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import Bucket
from chatnation.core.query.evaluate.conditions import selected
from chatnation.core.query.evaluate.local import LocalFrame
from chatnation.core.query.evaluate.ordering import Sequences, by_actor
from chatnation.core.query.evaluate.rows import check_actor, load, relevant
from chatnation.core.query.frame import MISSING, Loader, Mask, Need, Rows, Times
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Question, Selection

Visits = NDArray[np.integer]
"""An actor and a bucket as one number, see `Acts.visits`."""


@dataclass(frozen=True)
class Acts:
    """Rows with an actor that match at least one of several selections, by place in `order`.

    Bit n of `bits[place]` is set where the row matches selection n of those asked; `row_bits` are the same by row of
    the frame, also of rows without an actor.
    """

    frame: LocalFrame
    order: Sequences
    bits: NDArray[np.uint16]
    row_bits: NDArray[np.uint16]

    @cached_property
    def time(self) -> Times:
        """Microseconds, by place."""
        return self.frame.time[self.order.rows]

    def times(self, places: Rows) -> Times:
        """The time at some places; for few of them quicker than `time`."""
        return self.frame.time[self.order.rows[places]]

    def matching(self, selection: int) -> Mask:
        """Which places match a selection."""
        mask: Mask = (self.bits & np.uint16(1 << selection)) != 0
        return mask

    def visits(self, buckets: Sequence[Bucket]) -> Visits:
        """For each place a number that stands for its actor and its bucket: `owner * (len(buckets) + 1) + bucket + 1`.

        They never fall. Bucket -1 is all the time before the first one, and the last has the time after it too.
        """
        # Rows are in the order of time, so that a bucket is a run of them: no need to look for each row's.
        starts = np.array([micros(bucket.start) for bucket in buckets], np.int64)
        bounds = np.concatenate(([0], np.searchsorted(self.frame.time, starts), [self.frame.size]))
        width = len(buckets) + 1
        fits = width * len(self.order.bounds) < 1 << 31
        visits: Visits = np.repeat(np.arange(width, dtype=np.int32 if fits else np.int64), np.diff(bounds))
        visits = visits[self.order.rows]
        firsts = np.arange(len(self.order.bounds) - 1, dtype=visits.dtype) * width
        visits += np.repeat(firsts, np.diff(self.order.bounds))
        return visits


async def acts(
    query: Question,
    actor: str,
    selections: tuple[Selection, ...],
    loader: Loader,
    stretch: tuple[datetime | None, datetime],
    need: Need | None = None,
    *,
    all_after: int | None = None,
) -> Acts:
    """The acts in a stretch of time (from None: ever); their frame has the columns of `need` besides.

    With `all_after`, in microseconds, whatever is done after that moment is an act too: bit `len(selections)` is set.
    """
    check_actor(actor, query.source)
    needed = Need(actors=frozenset({actor})) | (need or Need())
    loaded = selections if all_after is None else (*selections, Selection())
    frame = await load(query, loader, needed, loaded, stretch)
    return await asyncio.to_thread(_acts, query, actor, selections, frame, all_after)


def _acts(
    query: Question, actor: str, selections: tuple[Selection, ...], frame: LocalFrame, all_after: int | None
) -> Acts:
    bits = np.zeros(frame.size, np.uint16)
    for number, selection in enumerate(selections):
        bits |= selected(frame, selection, query.source).astype(np.uint16) << np.uint16(number)
    if all_after is not None:
        bits[np.searchsorted(frame.time, all_after, "right") :] |= np.uint16(1 << len(selections))
    bits *= relevant(frame, query)
    order = by_actor(np.where(bits > 0, frame.actors(actor).codes, MISSING))
    return Acts(frame, order, bits[order.rows], bits)
