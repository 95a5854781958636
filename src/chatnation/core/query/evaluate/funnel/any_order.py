"""Chains of steps in any order: each later event fills the first step of the list that is open and that it matches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.funnel.chains import NOWHERE, Chains, Places, begun
from chatnation.core.query.evaluate.funnel.histories import Histories, next_of
from chatnation.core.query.evaluate.funnel.plan import Plan
from chatnation.core.query.frame import Rows


def any_order_chains(found: Histories, plan: Plan) -> Chains:
    """The chain of each entry. `reached[n]` is the place where it had filled n + 1 steps."""
    chains = begun(found, plan)
    entries, steps = found.entries, len(plan.query.steps)
    shape = (steps, len(entries))
    board = _Board(found, plan, np.full(shape, found.size), np.zeros(shape, np.bool_), _disjoint(found))
    chain = np.arange(len(entries))
    first = np.zeros(len(entries), np.intp) if plan.query.anchor_first else _first_step(found, plan)
    end, deadline = found.end_of(entries), found.time[entries] + plan.window
    chains.served[first, chain] = chains.reached[0] = entries
    board.begin(entries, first)
    for depth in range(1, steps):
        at, step = board.soonest(chain)
        fits = (at < end[chain]) & (found.time[at] <= deadline[chain])
        chain, at, step = chain[fits], at[fits], step[fits]
        chains.served[step, chain] = chains.reached[depth, chain] = at
        chains.depth[chain] += 1
        board.fill(chain, at, step, depth + 1)
    return chains


@dataclass(frozen=True, slots=True)
class _Board:
    """`coming[step]`: the next event for a step that is open; the number of places where it is filled or locked.

    `disjoint`: no event matches two steps, so none waits for an event that another one takes.
    """

    found: Histories
    plan: Plan
    coming: Places
    filled: NDArray[np.bool_]
    disjoint: bool

    def begin(self, entries: Rows, first: Rows) -> None:
        """The entries have filled the steps `first`; looks for all others once."""
        self.filled[first, np.arange(len(entries))] = True
        for step, matches in enumerate(self.found.steps):
            if not self._locked(step, 1):
                self.coming[step] = np.where(self.filled[step], self.found.size, next_of(matches, entries))

    def soonest(self, chain: Rows) -> tuple[Places, Rows]:
        """The next event of each chain, and the first step in the list that it fills."""
        at, step = self.coming[0, chain], np.zeros(len(chain), np.intp)
        for other in range(1, len(self.coming)):
            coming = self.coming[other, chain]
            sooner = coming < at
            at, step = np.where(sooner, coming, at), np.where(sooner, other, step)
        return at, step

    def fill(self, chain: Rows, at: Places, step: Rows, depth: int) -> None:
        """Events filled steps, `depth` by now: where others waited for the same event, they look for the next."""
        self.filled[step, chain] = True
        self.coming[step, chain] = self.found.size
        for other, matches in enumerate(self.found.steps):
            unlocked = self._locked(other, depth - 1)
            if self._locked(other, depth) or (self.disjoint and not unlocked):
                continue
            waits = ~self.filled[other, chain] if unlocked else self.coming[other, chain] == at
            self.coming[other, chain[waits]] = next_of(matches, at[waits])

    def _locked(self, step: int, depth: int) -> bool:
        """Whether the last step has to wait until all others are filled."""
        steps = len(self.plan.query.steps)
        return self.plan.query.anchor_last and step == steps - 1 and depth < steps - 1


def _disjoint(found: Histories) -> bool:
    matched = np.zeros(found.size + 1, np.bool_)
    for matches in found.steps:
        matched[matches] = True
    return int(np.count_nonzero(matched[:-1])) == sum(len(matches) - 1 for matches in found.steps)


def _first_step(found: Histories, plan: Plan) -> Rows:
    """The first step in the list that each entry may fill."""
    first = np.full(len(found.entries), NOWHERE, np.intp)
    for step, matches in enumerate(found.steps):
        hit = np.isin(found.entries, matches[:-1], assume_unique=True)
        first[hit & (first == NOWHERE)] = step
    return first
