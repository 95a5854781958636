"""Numbers for ids of 16 bytes: exact, and quick for millions of them."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np

from chatnation.core.query.frame import MISSING, Codes
from chatnation.core.query.segments.ids import IdArray, id_array, unique_ids


class IdNumbers:
    """Numbers of ids, from 0 on in the order in which they came. A number never changes. Threads may share it."""

    def __init__(self) -> None:
        self._ids = id_array(())
        self._sorted = _Sorted(self._ids, np.empty(0, np.int32), 1)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> IdArray:
        """All of them by their numbers, as of now."""
        return self._ids

    @property
    def nbytes(self) -> int:
        return self._ids.nbytes + self._sorted.ids.nbytes + self._sorted.numbers.nbytes

    def find(self, ids: IdArray) -> Codes:
        """The number of each id, MISSING for those that have none yet."""
        return self._sorted.find(ids)

    def add(self, ids: IdArray) -> Codes:
        """The number of each id; the new ones get the next numbers."""
        distinct, places = unique_ids(ids)
        with self._lock:
            numbers = self._sorted.find(distinct)
            new = np.flatnonzero(numbers == MISSING)
            if len(new):
                numbers[new] = np.arange(len(self._ids), len(self._ids) + len(new), dtype=np.int32)
                self._sorted = self._sorted.merged(distinct[new], numbers[new])
                self._ids = np.concatenate([self._ids, distinct[new]])
        return numbers[places]


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Ids in the order of their first halves, with their numbers. `longest`: the most that share a first half."""

    ids: IdArray
    numbers: Codes
    longest: int

    def find(self, ids: IdArray) -> Codes:
        found = np.full(len(ids), MISSING, np.int32)
        if not len(self.ids):
            return found
        places = np.searchsorted(self.ids[:, 0], ids[:, 0])
        for step in range(self.longest):
            near = np.minimum(places + step, len(self.ids) - 1)
            hits = np.flatnonzero((self.ids[near] == ids).all(axis=1))
            found[hits] = self.numbers[near[hits]]
        return found

    def merged(self, ids: IdArray, numbers: Codes) -> _Sorted:
        """With more ids, which are in the order of their first halves, too."""
        places = np.searchsorted(self.ids[:, 0], ids[:, 0])
        merged = np.insert(self.ids, places, ids, axis=0)
        return _Sorted(merged, np.insert(self.numbers, places, numbers), _longest_run(merged))


def _longest_run(ids: IdArray) -> int:
    longest = 1
    while len(ids) > longest and (ids[longest:, 0] == ids[:-longest, 0]).any():
        longest += 1
    return longest
