"""Chains of steps in order: from the event of one step to the next later event that matches the step after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.funnel.chains import NOWHERE, Chains, Ended, Places, begun
from chatnation.core.query.evaluate.funnel.histories import Histories, next_of
from chatnation.core.query.evaluate.funnel.plan import Plan
from chatnation.core.query.frame import Mask, Rows, Times


@dataclass(frozen=True, slots=True)
class _Front:
    """Chains that have come to the same step, at the places `at`; beyond `end` and `deadline` nothing is theirs."""

    chain: Rows
    at: Places
    end: Places
    deadline: Times


@dataclass(frozen=True, slots=True)
class _Walk:
    """What stays the same from step to step."""

    found: Histories
    plan: Plan

    def fits(self, front: _Front, places: Places, within: int | None = None) -> Mask:
        """Whether an event belongs to the chain's history and comes in time."""
        limit = front.deadline
        if within is not None:
            limit = np.minimum(limit, self.found.time[front.at] + within)
        fits: Mask = (places < front.end) & (self.found.time[places] <= limit)
        return fits


def ordered_chains(found: Histories, plan: Plan) -> Chains:
    """The chain of each entry, in the orders `ordered` and `strict`."""
    chains = begun(found, plan)
    chains.served[0] = entries = found.entries
    walk = _Walk(found, plan)
    front = _Front(np.arange(len(entries)), entries, found.end_of(entries), found.time[entries] + plan.window)
    for place in range(len(plan.backbone)):
        front = _advance(walk, front, chains, place)
    return chains


def _advance(walk: _Walk, front: _Front, chains: Chains, place: int) -> _Front:
    """Notes in `chains` what came after a step of the backbone; returns the chains that came to the next one."""
    plan, found = walk.plan, walk.found
    following = plan.backbone[place + 1] if place + 1 < len(plan.backbone) else None
    target = np.full(len(front.at), found.size) if following is None else next_of(found.steps[following], front.at)
    reached = walk.fits(front, target, None if following is None else plan.within(following))
    barrier, reason = _exclusion(walk, front, place), np.full(len(front.at), Ended.EXCLUDED, np.int8)
    if barrier is not None:
        reached &= target <= barrier
    options: list[Places] = []
    if plan.optional[place]:
        stop = np.where(reached, target, found.size if barrier is None else barrier)
        options = _options(walk, front, plan.optional[place], stop)
    if plan.query.order == "strict":
        unused = _in_time(walk, front, _first_unused(found, front.at, options))
        reached &= target == unused
        options = [np.where(option < unused, option, NOWHERE) for option in options]
        reason = np.where(unused < (found.size if barrier is None else barrier), np.int8(Ended.NOT_STRICT), reason)
        barrier = unused if barrier is None else np.minimum(barrier, unused)
    for step, option in zip(plan.optional[place], options, strict=True):
        chains.served[step, front.chain] = option
    if following is None:
        return front
    if barrier is not None:
        _end(chains, front.chain, np.where(reached, found.size, barrier), reason, found.size)
    target, chain = target[reached], front.chain[reached]
    chains.served[following, chain] = target
    chains.depth[chain] += 1
    return _Front(chain, target, front.end[reached], front.deadline[reached])


def _end(chains: Chains, chain: Rows, barrier: Places, reason: NDArray[np.int8], size: int) -> None:
    """Notes which chains an event has ended, and why; `size` stands for none."""
    stopped = barrier < size
    chains.ended[chain[stopped]] = reason[stopped]
    chains.ended_at[chain[stopped]] = barrier[stopped]


def _exclusion(walk: _Walk, front: _Front, place: int) -> Places | None:
    """The next event in time that must not come after a step of the backbone; None where every event may."""
    exclusions = [next_of(walk.found.exclusions[one], front.at) for one in walk.plan.exclusions[place]]
    return _in_time(walk, front, np.minimum.reduce(exclusions)) if exclusions else None


def _in_time(walk: _Walk, front: _Front, places: Places) -> Places:
    """The places that belong to the chain's history and window, else the number of places."""
    return np.where(walk.fits(front, places), places, walk.found.size)


def _options(walk: _Walk, front: _Front, steps: tuple[int, ...], stop: Places) -> list[Places]:
    """For each optional step the first later event before `stop` that no optional step before it has taken."""
    taken: list[Places] = []
    for step in steps:
        matches = walk.found.steps[step]
        place = _first_not_in(taken, matches, next_of(matches, front.at))
        fits = (place < stop) & walk.fits(front, place, walk.plan.within(step))
        taken.append(np.where(fits, place, NOWHERE))
    return taken


def _first_unused(found: Histories, at: Places, options: list[Places]) -> Places:
    return _first_not_in(options, found.own, next_of(found.own, at))


def _first_not_in(taken: list[Places], matches: Rows, place: Places) -> Places:
    """Goes on from match to match to one that is not taken; each of `taken` is passed at most once."""
    for _ in taken:
        passing = np.logical_or.reduce([place == one for one in taken])
        place = np.where(passing, next_of(matches, place), place)
    return place
