"""Who is new, returning, resurrecting or dormant in a period."""

from __future__ import annotations

from datetime import datetime

from chatnation.core.query.answers import ActorsAnswer
from chatnation.core.query.evaluate.actor_pages import actors_page
from chatnation.core.query.evaluate.calendar import place_of
from chatnation.core.query.evaluate.comings import comings_of
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import LifecycleActors


async def answer(query: LifecycleActors, loader: Loader, now: datetime) -> ActorsAnswer:
    """A page of actors."""
    found = await comings_of(query.lifecycle, loader, now)
    places = found.places(query.state, place_of(query.bucket, found.buckets))
    return actors_page(query, found.did, query.lifecycle.actor, places)
