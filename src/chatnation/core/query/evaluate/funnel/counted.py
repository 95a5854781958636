"""The chains that a funnel counts, with what is told of each: when it began, how far it came, whether it may go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np

from chatnation.core.query.evaluate.funnel.any_order import any_order_chains
from chatnation.core.query.evaluate.funnel.chains import NOWHERE, Chains, Places, best_of
from chatnation.core.query.evaluate.funnel.histories import Histories, histories
from chatnation.core.query.evaluate.funnel.ordered import ordered_chains
from chatnation.core.query.evaluate.funnel.plan import SECOND, Plan
from chatnation.core.query.evaluate.rows import load
from chatnation.core.query.frame import MISSING, Codes, Floats, Frame, Loader, Mask, Times
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Range


@dataclass(frozen=True)
class Counted:
    """Chains that count. `times` are microseconds, indexed by place; columns and masks have one element a chain."""

    plan: Plan
    found: Histories
    chains: Chains
    now: datetime

    @property
    def size(self) -> int:
        return self.chains.size

    @cached_property
    def entered_at(self) -> Times:
        return self.found.time[self.chains.entry]

    @cached_property
    def last_at(self) -> Times:
        return self.found.time[self.chains.last(self.plan)]

    @cached_property
    def converted(self) -> Mask:
        converted: Mask = self.chains.depth == len(self.plan.backbone)
        return converted

    @cached_property
    def deadline(self) -> Times:
        """Until when the next step may come: the window, or that step's own limit where it is over sooner."""
        deadline = self.entered_at + self.plan.window
        for depth, step in enumerate(self.plan.backbone[1:], 1):
            within = self.plan.within(step)
            if within is not None:
                here = self.chains.depth == depth
                deadline[here] = np.minimum(deadline[here], self.last_at[here] + within)
        return deadline

    @cached_property
    def open(self) -> Mask:
        """Whether the chain may still go on."""
        may: Mask = ~self.converted & (self.chains.ended == 0) & (self.deadline > micros(self.now))
        return may

    @cached_property
    def depths(self) -> dict[int, int]:
        """For each step of the backbone, how many steps of it a chain has that came there."""
        return {step: depth for depth, step in enumerate(self.plan.backbone, 1)}

    def came_to(self, step: int) -> Mask:
        """Who came to a step or further; of an optional step, who passed it."""
        return self._arrivals[step][0]

    @cached_property
    def _arrivals(self) -> list[tuple[Mask, Times]]:
        """For each step, who came to it, and when; the times of others are of no meaning."""
        return [(places != NOWHERE, self.found.time[places]) for places in self.chains.reached]

    def stopped_at(self, step: int) -> Mask:
        """Who came to a step and no further; nobody to an optional step or the last one."""
        depth = self.depths.get(step)
        stopped: Mask = ~self.converted & (self.chains.depth == (0 if depth is None else depth))
        return stopped

    def seconds(self, step: int, since: int) -> Floats:
        """From one step to another, for the chains that came to `step`."""
        came, until = self._arrivals[step]
        seconds: Floats = (until - self._arrivals[since][1])[came] / SECOND
        return seconds

    def step_before(self, step: int) -> int | None:
        """The last step of the backbone before a step."""
        return max((place for place in self.plan.backbone if place < step), default=None)

    @cached_property
    def values(self) -> tuple[Codes, Sequence[str]]:
        """The value of the breakdown that each chain has, MISSING where it has none; and what the codes stand for."""
        assert self.plan.by is not None
        column = self.found.frame.column(self.plan.by)
        codes = np.full(self.size, MISSING, np.int32)
        for places in self._attributed():
            there = (places != NOWHERE) & (codes == MISSING)
            codes[there] = column.codes[self.found.rows[places[there]]]
        return codes, column.values

    def _attributed(self) -> Sequence[Places]:
        """The events in which the value is looked for, one after the other."""
        query = self.plan.query
        if query.attribution == "first":
            return [self.chains.entry]
        if query.attribution == "last":
            return [self.chains.last(self.plan)]
        if query.attribution == "step":
            return [self.chains.served[query.attribution_step]]
        return list(np.sort(self.chains.served, axis=0))


async def count(plan: Plan, loader: Loader, stretch: Range, now: datetime) -> Counted:
    """The chains of the entries in a stretch of time, which the last steps may lie after."""
    bounds = (stretch.start, last_moment(plan, stretch))
    return counted(await load(plan.query, loader, plan.need, plan.selections, bounds), plan, stretch, now)


def last_moment(plan: Plan, stretch: Range) -> datetime:
    """Behind everything that entries in a stretch of time may lead to."""
    return stretch.end.astimezone(UTC) + timedelta(microseconds=plan.window)


def counted(frame: Frame, plan: Plan, stretch: Range, now: datetime) -> Counted:
    """The chains that count among the rows of a frame."""
    found = histories(frame, plan, stretch)
    chains = any_order_chains(found, plan) if plan.any_order else ordered_chains(found, plan)
    if plan.query.entry == "best":
        chains = best_of(chains, found.actor_of(chains.entry))
    return Counted(plan, found, chains, now)
