"""Who is behind the numbers of a funnel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from chatnation.core.query.answers import FunnelActor, FunnelActorsAnswer
from chatnation.core.query.evaluate.funnel.counted import Counted, count
from chatnation.core.query.evaluate.funnel.plan import plan_of
from chatnation.core.query.frame import Loader, Mask, Rows
from chatnation.core.query.model import FunnelActors
from chatnation.core.query.store import QueryRefused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def answer(query: FunnelActors, loader: Loader, now: datetime) -> FunnelActorsAnswer:
    """A page of actors, the latest entry first; where every entry counts, of entries."""
    funnel = query.funnel
    plan = plan_of(funnel)
    if query.step >= len(funnel.steps):
        raise QueryRefused("The funnel does not have so many steps.")
    if query.value is not None and funnel.by is None:
        raise QueryRefused("The funnel has no breakdown to take a value from.")
    counted = await count(plan, loader, funnel.range, now)
    chains = np.flatnonzero(_wanted(counted, query))
    page = _page(counted, chains, query.offset, query.limit)
    return FunnelActorsAnswer(tuple(_actor(counted, int(chain)) for chain in page), len(chains))


def _wanted(counted: Counted, query: FunnelActors) -> Mask:
    if query.outcome == "reached":
        wanted = counted.came_to(query.step).copy()
    else:
        may = counted.open
        wanted = counted.stopped_at(query.step) & (may if query.outcome == "open" else ~may)
    if query.value is not None:
        codes, values = counted.values
        wanted &= codes == (values.index(query.value) if query.value in values else len(values))
    return wanted


def _page(counted: Counted, chains: Rows, offset: int, limit: int) -> list[int]:
    """A page of chains, by their entry and label. Labels are only made for those that entered when the page did."""
    entered = counted.entered_at[chains]
    order = np.argsort(-entered, kind="stable")
    if offset >= len(order):
        return []
    latest, earliest = entered[order[offset]], entered[order[offset : offset + limit][-1]]
    near = chains[(entered >= earliest) & (entered <= latest)]
    before = int(np.count_nonzero(entered > latest))
    label = _labels(counted)
    ordered = sorted(near.tolist(), key=lambda chain: (-int(counted.entered_at[chain]), label(chain), chain))
    return ordered[offset - before : offset - before + limit]


def _labels(counted: Counted) -> Callable[[int], str]:
    names = counted.found.frame.actors(counted.plan.query.actor).names
    codes = counted.found.actor_of(counted.chains.entry)
    return lambda chain: names.label(int(codes[chain]))


def _actor(counted: Counted, chain: int) -> FunnelActor:
    names = counted.found.frame.actors(counted.plan.query.actor).names
    code = int(counted.found.actor_of(counted.chains.entry[chain : chain + 1])[0])
    return FunnelActor(
        names.label(code),
        names.person(code) if counted.plan.query.actor == "person" else None,
        _instant(counted.entered_at[chain]),
        _instant(counted.last_at[chain]),
        reached=counted.plan.backbone[int(counted.chains.depth[chain]) - 1] + 1,
    )


def _instant(moment: np.int64) -> datetime:
    return _EPOCH + timedelta(microseconds=int(moment))
