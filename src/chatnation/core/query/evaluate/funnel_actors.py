"""Who is behind the numbers of a funnel."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from chatnation.core.query.answers import FunnelActor, FunnelActorsAnswer
from chatnation.core.query.evaluate.actor_pages import instant, page_of
from chatnation.core.query.evaluate.funnel.counted import Counted, count
from chatnation.core.query.evaluate.funnel.groups import beyond_limit
from chatnation.core.query.evaluate.funnel.plan import plan_of
from chatnation.core.query.frame import MISSING, Loader, Mask
from chatnation.core.query.model import FunnelActors
from chatnation.core.query.store import QueryRefused


async def answer(query: FunnelActors, loader: Loader, now: datetime) -> FunnelActorsAnswer:
    """A page of actors, the latest entry first; where every entry counts, of entries."""
    funnel = query.funnel
    plan = plan_of(funnel)
    if query.step >= len(funnel.steps):
        raise QueryRefused("The funnel does not have so many steps.")
    rows = (query.value is not None) + query.missing + query.other
    if rows and funnel.by is None:
        raise QueryRefused("The funnel has no breakdown to take a row from.")
    if rows > 1:
        raise QueryRefused("Ask for one row of the breakdown: a value, those without one, or the others.")
    counted = await count(plan, loader, funnel.range, now)
    chains = np.flatnonzero(_wanted(counted, query))
    names = counted.found.frame.actors(funnel.actor).names
    codes = counted.found.actor_of(counted.chains.entry)[chains]
    page = page_of(query, counted.entered_at[chains], lambda row: names.label(int(codes[row])))
    found = tuple(_actor(counted, int(chains[row]), int(codes[row])) for row in page)
    return FunnelActorsAnswer(found, len(chains))


def _wanted(counted: Counted, query: FunnelActors) -> Mask:
    if query.outcome == "reached":
        wanted = counted.came_to(query.step).copy()
    else:
        may = counted.open
        wanted = counted.stopped_at(query.step) & (may if query.outcome == "open" else ~may)
    if query.value is not None:
        codes, values = counted.values
        wanted &= codes == (values.index(query.value) if query.value in values else len(values))
    elif query.missing:
        wanted &= counted.values[0] == MISSING
    elif query.other:
        wanted &= beyond_limit(counted)
    return wanted


def _actor(counted: Counted, chain: int, code: int) -> FunnelActor:
    actor = counted.plan.query.actor
    names = counted.found.frame.actors(actor).names
    return FunnelActor(
        names.label(code),
        names.person(code) if actor == "person" else None,
        instant(int(counted.entered_at[chain])),
        instant(int(counted.last_at[chain])),
        reached=counted.plan.backbone[int(counted.chains.depth[chain]) - 1] + 1,
    )
