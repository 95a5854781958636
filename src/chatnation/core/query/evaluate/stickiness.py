"""On how many different periods of the range actors came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import StickinessAnswer
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.ordering import run_bounds
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Stickiness


@dataclass(frozen=True, slots=True)
class Regulars:
    """Everybody who came: in how many of so many `periods` each owner of `did.order` did so."""

    did: Acts
    periods: int
    came: NDArray[np.intp]


async def regulars(query: Stickiness, loader: Loader, now: datetime) -> Regulars:
    """Who came in the range."""
    periods = buckets(query.range, query.granularity, now)
    did = await acts(query, query.actor, (query.select,), loader, (query.range.start, query.range.end))
    visits = did.visits(periods)
    visitors = visits[run_bounds(visits)[:-1]] // (len(periods) + 1)
    return Regulars(did, len(periods), np.bincount(visitors))


async def answer(query: Stickiness, loader: Loader, now: datetime) -> StickinessAnswer:
    """How many actors came in one period of the range, in two, and so on."""
    found = await regulars(query, loader, now)
    counts = np.bincount(found.came, minlength=found.periods + 1)[1:]
    return StickinessAnswer(found.periods, tuple(counts.tolist()), len(found.came))
