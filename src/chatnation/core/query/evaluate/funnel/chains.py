"""How far entries came: for each entry the earliest chain of events that serve the steps, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.funnel.histories import Histories
from chatnation.core.query.evaluate.funnel.plan import Plan
from chatnation.core.query.frame import Mask, Rows

Places = NDArray[np.intp]
NOWHERE = -1


class Ended(IntEnum):
    """What kept a chain from going on, other than time."""

    NO = 0
    EXCLUDED = 1
    NOT_STRICT = 2


@dataclass(frozen=True, slots=True)
class Chains:
    """Chains in columns, one for each entry, NOWHERE where a step was not reached.

    `served[step]`: the place of the event that step had. `reached[step]`: where the chain came to that step, which is
    the same, but in any order: there it is where it had done so many steps. `depth`: how many steps of the backbone.
    `ended` is a code of `Ended`, `ended_at` the place of the event that did it.
    """

    entry: Rows
    served: Places
    reached: Places
    depth: NDArray[np.intp]
    ended: NDArray[np.int8]
    ended_at: Places

    @property
    def size(self) -> int:
        return len(self.entry)

    def take(self, chains: Rows | Mask) -> Chains:
        served = self.served[:, chains]
        return Chains(
            self.entry[chains],
            served,
            served if self.reached is self.served else self.reached[:, chains],
            self.depth[chains],
            self.ended[chains],
            self.ended_at[chains],
        )

    def last(self, plan: Plan) -> Places:
        """The place of the last event that carried each chain on."""
        backbone = np.array(plan.backbone, np.intp)
        last: Places = self.reached[backbone[self.depth - 1], np.arange(self.size)]
        return last


def begun(found: Histories, plan: Plan) -> Chains:
    """Chains that have nothing but their entry yet, which has served no step."""
    size = len(found.entries)
    served = np.full((len(plan.query.steps), size), NOWHERE, np.intp)
    return Chains(
        entry=found.entries,
        served=served,
        reached=served.copy() if plan.any_order else served,
        depth=np.ones(size, np.intp),
        ended=np.zeros(size, np.int8),
        ended_at=np.full(size, NOWHERE, np.intp),
    )


def best_of(chains: Chains, owners: NDArray[np.integer]) -> Chains:
    """Of each owner's chains, which lie together, the deepest, and of equally deep ones the first."""
    if not chains.size:
        return chains
    size = chains.size
    starts = np.flatnonzero(np.append(True, owners[1:] != owners[:-1]))
    keys = chains.depth * size + np.arange(size)[::-1]
    return chains.take(size - 1 - np.maximum.reduceat(keys, starts) % size)
