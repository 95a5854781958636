"""Who is behind the cells of retention."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from chatnation.core.query.answers import ActorsAnswer
from chatnation.core.query.evaluate.actor_pages import actors_page
from chatnation.core.query.evaluate.calendar import place_of
from chatnation.core.query.evaluate.cohorts import Cohorts, cohorts_of
from chatnation.core.query.frame import Loader, Mask
from chatnation.core.query.model import RetentionActors
from chatnation.core.query.store import QueryRefused


async def answer(query: RetentionActors, loader: Loader, now: datetime) -> ActorsAnswer:
    """A page of actors; somebody who is in several of the cohorts comes once for each."""
    found = await cohorts_of(query.retention, loader, now)
    if query.column >= len(found.columns):
        raise QueryRefused("The cohorts do not have so many columns.")
    entries = np.flatnonzero(_wanted(query, found))
    places = found.last_back(entries, query.column) if query.outcome == "back" else found.entries[entries]
    return actors_page(query, found.did, query.retention.actor, places)


def _wanted(query: RetentionActors, found: Cohorts) -> Mask:
    wanted = np.array(_cohorts(query, found), np.bool_)[found.cohort]
    if query.outcome == "began":
        return wanted
    back = found.back_in(query.column)
    return wanted & (back if query.outcome == "back" else ~back)


def _cohorts(query: RetentionActors, found: Cohorts) -> list[bool]:
    """Which cohorts the list is about."""
    everyone = range(len(found.buckets))
    if query.cohort is not None:
        asked = place_of(query.cohort, found.buckets)
        return [place == asked for place in everyone]
    return [query.outcome == "began" or not found.is_open(place, query.column) for place in everyone]
