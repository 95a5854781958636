"""Who came in exactly so many periods."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from chatnation.core.query.answers import ActorsAnswer
from chatnation.core.query.evaluate.actor_pages import actors_page
from chatnation.core.query.evaluate.stickiness import regulars
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import StickinessActors


async def answer(query: StickinessActors, loader: Loader, now: datetime) -> ActorsAnswer:
    """A page of actors, each as of the last thing that they did."""
    found = await regulars(query.stickiness, loader, now)
    owners = np.flatnonzero(found.came == query.periods)
    return actors_page(query, found.did, query.stickiness.actor, found.did.order.bounds[owners + 1] - 1)
