"""When an event happened, from three clocks: the claim, the client's clock at sending, and ours at receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chatnation.core.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WIDEST_SKEW_MS = 2**31 - 1
"""Clocks that are off by more (24 days) are told as being off by this; the claim that is kept says the rest."""
_SECONDS_BELOW = 100_000_000_000
"""Numbers below this are seconds since 1970 (up to the year 5138), others milliseconds (from 1973 on)."""


@dataclass(frozen=True, slots=True)
class ClockRules:
    """How far clients' clocks are believed."""

    skew_tolerance: timedelta = timedelta(seconds=60)
    future_tolerance: timedelta = timedelta(seconds=300)

    @classmethod
    def of(cls, settings: Settings) -> ClockRules:
        return cls(
            timedelta(seconds=settings.skew_tolerance_seconds), timedelta(seconds=settings.future_tolerance_seconds)
        )


class EventTime(NamedTuple):
    """`timestamp` is stored; `claimed_at` is the client's own time, where that is another one."""

    timestamp: datetime
    claimed_at: datetime | None
    has_claim: bool


class ReceiptClock:
    """Times of the events of one delivery.

    Claims up to `believed_until` are stored as they are, as nearly all are; `place` says what becomes of any claim.
    """

    __slots__ = ("_correction", "_latest", "believed_until", "received_at", "skew_ms")

    def __init__(self, received_at: datetime, sent_at: datetime | None, rules: ClockRules) -> None:
        self.received_at = received_at
        self._latest = received_at + rules.future_tolerance
        skew = received_at - sent_at if sent_at is not None else None
        self.skew_ms = None if skew is None else _bounded(skew // timedelta(milliseconds=1))
        # A small skew is left alone: correcting it would give a retry another time than its first attempt.
        self._correction = skew if skew is not None and abs(skew) > rules.skew_tolerance else None
        self.believed_until = self._latest if self._correction is None else None

    def place(self, claim: datetime | None) -> EventTime:
        """The stored time of an event that claims to have happened at `claim`.

        Without a claim, and for what lies too far ahead even after correction, that is the time of receipt.
        """
        if claim is None:
            return EventTime(self.received_at, None, has_claim=False)
        timestamp = claim
        if self._correction is not None:
            try:
                timestamp = claim + self._correction
            except OverflowError:
                timestamp = self.received_at
        if timestamp > self._latest:
            timestamp = self.received_at
        return EventTime(timestamp, claim if timestamp != claim else None, has_claim=True)


def _bounded(skew_ms: int) -> int:
    return max(-_WIDEST_SKEW_MS, min(skew_ms, _WIDEST_SKEW_MS))


def from_milliseconds(milliseconds: int) -> datetime:
    """The instant that many milliseconds after 1970 in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def parse_instant(value: str | float | None) -> datetime | None:
    """An ISO 8601 text (no zone: UTC) or Unix time in seconds or milliseconds; None for anything else."""
    if not isinstance(value, str):
        return None if value is None else _parse_number(value)
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is UTC:  # As nearly all are, and a conversion would make another object.
            return instant
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        return None
    except ValueError:
        return _parse_digits(value.strip())


def _parse_digits(text: str) -> datetime | None:
    try:
        return _parse_number(float(text)) if text[:1].isdigit() and len(text) < 20 else None
    except ValueError:
        return None


def _parse_number(number: float) -> datetime | None:
    try:
        seconds = abs(number) < _SECONDS_BELOW
        return _EPOCH + (timedelta(seconds=number) if seconds else timedelta(milliseconds=number))
    except (OverflowError, ValueError):
        return None
