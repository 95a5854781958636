"""Numbers for texts, so that columns of many chunks put together have one list of values."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from threading import Lock

import numpy as np

from chatnation.core.query.frame import Codes

_BYTES_OF_A_TEXT = 120
"""About what a text takes besides its letters: object, places in the index and in the list."""


class TextNumbers:
    """Numbers of texts, from 0 on in the order in which they came. A number never changes. Threads may share it."""

    def __init__(self) -> None:
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)
        self._values: tuple[str, ...] = ()
        self._lock = Lock()
        self._letters = 0

    @property
    def nbytes(self) -> int:
        return self._letters + _BYTES_OF_A_TEXT * len(self._numbers)

    @property
    def values(self) -> tuple[str, ...]:
        """All of them by their numbers, as of now."""
        with self._lock:
            if len(self._values) != len(self._numbers):
                self._values = tuple(self._numbers)
            return self._values

    def add(self, texts: Sequence[str]) -> Codes:
        """The number of each text; the new ones get the next numbers."""
        with self._lock:
            known = len(self._numbers)
            # Looking one up gives it a number, all in C: some columns have millions of texts.
            found = np.fromiter(map(self._numbers.__getitem__, texts), np.int32, len(texts))
            if len(self._numbers) > known:
                self._letters += sum(map(len, texts)) * (len(self._numbers) - known) // len(texts)
            return found
