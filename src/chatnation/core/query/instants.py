"""Moments as whole numbers of microseconds, for columns of them."""

from __future__ import annotations

from datetime import UTC, datetime

SECOND = 1_000_000
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
"""In microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """Microseconds since 1970."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds
