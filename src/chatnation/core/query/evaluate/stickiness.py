"""On how many different periods of the range actors came."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from chatnation.core.query.answers import StickinessAnswer
from chatnation.core.query.evaluate.acts import acts
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.ordering import run_bounds
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import Stickiness


async def answer(query: Stickiness, loader: Loader, now: datetime) -> StickinessAnswer:
    """How many actors came in one period of the range, in two, and so on."""
    periods = buckets(query.range, query.granularity, now)
    did = await acts(query, query.actor, (query.select,), loader, (query.range.start, query.range.end))
    visits = did.visits(periods)
    visitors = visits[run_bounds(visits)[:-1]] // (len(periods) + 1)
    periods_of_actors = np.bincount(visitors)
    counts = np.bincount(periods_of_actors, minlength=len(periods) + 1)[1:]
    return StickinessAnswer(len(periods), tuple(counts.tolist()), len(periods_of_actors))
