"""Numbers for texts, so that columns of many chunks put together have one list of values."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

import numpy as np

from chatnation.core.query.frame import MISSING, Codes

_BYTES_OF_A_TEXT = 120
"""About what a text takes besides its letters: object, places in the index and in the list."""


class TextNumbers:
    """Numbers of texts, from 0 on in the order in which they came. A number never changes. Threads may share it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
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

    def find(self, text: str) -> int:
        """The number of a text, or MISSING."""
        return self._numbers.get(text, MISSING)

    def add(self, texts: Iterable[str]) -> Codes:
        """The number of each text; the new ones get the next numbers."""
        numbers, found = self._numbers, []
        with self._lock:
            for text in texts:
                number = numbers.setdefault(text, len(numbers))
                if number == len(numbers) - 1:
                    self._letters += len(text)
                found.append(number)
        return np.array(found, np.int32)
