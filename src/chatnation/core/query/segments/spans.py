"""Quarter hours and days in UTC, as microseconds since 1970: the stretches of time that segments are of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from chatnation.core.query.instants import DAY, HOUR, micros

QUARTER = HOUR // 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` up to `end`."""

    start: int
    end: int

    def __contains__(self, moment: int) -> bool:
        return self.start <= moment < self.end

    @property
    def is_day(self) -> bool:
        return self.end - self.start == DAY


def quarter_of(moment: int) -> Span:
    """The quarter hour that a moment lies in."""
    start = moment // QUARTER * QUARTER
    return Span(start, start + QUARTER)


def day_of(moment: int) -> Span:
    """The day that a moment lies in."""
    start = moment // DAY * DAY
    return Span(start, start + DAY)


def instant(moment: int) -> datetime:
    """Microseconds since 1970 as a time."""
    return _EPOCH + timedelta(microseconds=moment)


def quarters_of(times: Iterable[datetime]) -> set[datetime]:
    """The beginnings of the quarter hours of some times."""
    times = list(times)
    first, last = quarter_of(micros(min(times))), quarter_of(micros(max(times)))
    if first == last:
        return {instant(first.start)}
    return {instant(quarter_of(micros(time)).start) for time in times}


def runs(quarters: Sequence[int]) -> Iterator[Span]:
    """Quarters that follow each other, as one span each; they are in order."""
    breaks = [place for place, (one, next_) in enumerate(pairwise(quarters), 1) if next_ - one > QUARTER]
    for start, end in pairwise([0, *breaks, len(quarters)]):
        if start < end:
            yield Span(quarters[start], quarters[end - 1] + QUARTER)


def clean(span: Span, stale: Sequence[int]) -> Iterator[Span]:
    """What is left of a span without some quarters, which are in order."""
    start = span.start
    for quarter in stale:
        if quarter in span:
            if quarter > start:
                yield Span(start, quarter)
            start = quarter + QUARTER
    if start < span.end:
        yield Span(start, span.end)
