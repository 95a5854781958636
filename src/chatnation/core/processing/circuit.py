"""Leaves out for a while what keeps failing."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES_IN_A_ROW = 5
OPEN_SECONDS = 30.0


class Circuit:
    """Closed: calls go through. After five failures in a row it opens; half a minute later one call may try again."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are to be left out now."""
        return self._failures >= FAILURES_IN_A_ROW and self._now() < self._open_until

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            self._open_until = self._now() + OPEN_SECONDS
