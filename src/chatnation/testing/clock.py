"""A clock that stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A `Clock` for tests. It starts at the real time, to the second, unless given another."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime.now(UTC).replace(microsecond=0)

    def now(self) -> datetime:
        return self._now

    def move(self, by: timedelta) -> datetime:
        """Let time pass, or run backwards; gives the new time."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Set the time; `to` is timezone-aware."""
        self._now = to.astimezone(UTC)
