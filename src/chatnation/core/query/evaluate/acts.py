"""What actors did: the rows of some selections, one actor after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from chatnation.core.query.evaluate.conditions import selected
from chatnation.core.query.evaluate.local import LocalFrame
from chatnation.core.query.evaluate.ordering import Sequences, by_actor
from chatnation.core.query.evaluate.rows import check_actor, load, relevant
from chatnation.core.query.frame import MISSING, Loader, Mask, Need, Times
from chatnation.core.query.model import Question, Selection


@dataclass(frozen=True, slots=True)
class Acts:
    """Rows with an actor that match at least one of several selections.

    `time` (microseconds) and `matches`, one mask for each selection in the order asked, are by place in `order`.
    """

    frame: LocalFrame
    order: Sequences
    time: Times
    matches: tuple[Mask, ...]


async def acts(
    query: Question,
    actor: str,
    selections: tuple[Selection, ...],
    loader: Loader,
    stretch: tuple[datetime | None, datetime],
    need: Need | None = None,
) -> Acts:
    """The acts in a stretch of time (from None: ever); their frame has the columns of `need` besides."""
    check_actor(actor, query.source)
    needed = Need(actors=frozenset({actor})) | (need or Need())
    frame = await load(query, loader, needed, selections, stretch)
    asked = relevant(frame, query)
    masks = [asked & selected(frame, selection, query.source) for selection in selections]
    order = by_actor(np.where(np.logical_or.reduce(masks), frame.actors(actor).codes, MISSING))
    return Acts(frame, order, frame.time[order.rows], tuple(mask[order.rows] for mask in masks))
