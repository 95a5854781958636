"""Which session each event belongs to: that of the same visit in whose time it lies. Arrays in, an array out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from chatnation.core.query.frame import MISSING, Codes, Mask, Times


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """Sessions by visit and time: row, begin and end of each, and where each visit's begin; there is one more begin."""

    rows: Codes
    started: Times
    ended: Times
    begins: Codes

    @classmethod
    def of(cls, visits: Codes, started: Times, ended: Times, count: int) -> Self:
        """Of sessions, whose visits are numbers below `count`; sessions of one visit do not overlap."""
        order = np.lexsort((started, visits))
        order = order[np.searchsorted(visits[order], 0) :]
        begins = np.searchsorted(visits[order], np.arange(count + 1)).astype(np.int32)
        return cls(order.astype(np.int32), started[order], ended[order], begins)

    def find(self, visits: Codes, times: Times) -> Codes:
        """The row of the session that each event of a visit, or of none (MISSING), belongs to, or MISSING."""
        found = np.full(len(visits), MISSING, np.int32)
        if not len(self.rows):
            return found
        first, end = self.begins[visits], self.begins[visits + 1]
        candidates = np.flatnonzero((visits != MISSING) & (first < end))
        first, end, times = first[candidates], end[candidates], times[candidates]
        last = self._last_begun(first, end, times)
        within = (last >= first) & (times <= self.ended[last])
        found[candidates[within]] = self.rows[last[within]]
        return found

    def _last_begun(self, first: Codes, end: Codes, times: Times) -> Codes:
        """Of each stretch of sessions, the place of the last one that began by then; one before it where none did."""
        low, high = first - 1, end - 1
        for _ in range(int((end - first).max(initial=0)).bit_length()):
            middle = (low + high + 1) >> 1
            begun: Mask = (middle > low) & (self.started[np.maximum(middle, 0)] <= times)
            low = np.where(begun, middle, low)
            high = np.where(begun | (middle <= low), high, middle - 1)
        return low.astype(np.int32, copy=False)
