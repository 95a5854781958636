"""Who is behind a node of paths, or behind a link between two."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from chatnation.core.query.answers import ActorsAnswer
from chatnation.core.query.evaluate.actor_pages import actors_page
from chatnation.core.query.evaluate.walks import walks_of
from chatnation.core.query.frame import Loader
from chatnation.core.query.model import PathsActors
from chatnation.core.query.store import QueryRefused


async def answer(query: PathsActors, loader: Loader, now: datetime) -> ActorsAnswer:
    """A page of paths, each with its actor, as of its step at the node; of a link, at the end away from the anchor."""
    if query.to is not None and query.to.column != query.at.column + 1:
        raise QueryRefused("A link leads to a node of the next column.")
    walks = await walks_of(query.paths, loader)
    columns = {column.number: column for column in walks.columns()}
    wanted = np.ones(walks.size, np.bool_)
    steps = (query.at, query.to) if query.to is not None else (query.at,)
    for step in steps:
        column = columns.get(step.column)
        wanted &= column.at(step) if column is not None else False
    found = np.flatnonzero(wanted)
    furthest = max((step.column for step in steps), key=abs)
    places = walks.places(found, furthest) if len(found) else found
    return actors_page(query, walks.did, query.paths.actor, places)
