"""Local time: the buckets of a range, and the parts of instants, both with changes of the clocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from chatnation.core.query.answers import Bucket
from chatnation.core.query.frame import Codes, Times
from chatnation.core.query.instants import DAY, HOUR, micros
from chatnation.core.query.model import Granularity, Range
from chatnation.core.query.store import QueryRefused

_QUARTER = timedelta(minutes=15)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def buckets(stretch: Range, granularity: Granularity, now: datetime) -> list[Bucket]:
    """Every calendar bucket that the range touches, the first and last of them whole even where the range is not."""
    zone = stretch.zone
    edges = _edges(stretch.start.astimezone(zone), stretch.end.astimezone(zone), granularity, zone)
    return [
        Bucket(start, end, _label(start, granularity), complete=end <= now)
        for start, end in pairwise(edges)
        if start.astimezone(UTC) < end.astimezone(UTC)  # Samoa once left out a day
    ]


def bucket_of(times: Times, buckets: Sequence[Bucket]) -> Codes:
    """The place of each instant's bucket; instants lie inside of the buckets' stretch."""
    starts = np.array([micros(bucket.start) for bucket in buckets], np.int64)
    return (np.searchsorted(starts, times, side="right") - 1).astype(np.int32)


def place_of(label: str, buckets: Sequence[Bucket]) -> int:
    """The place of the bucket with a label; raises QueryRefused."""
    for place, bucket in enumerate(buckets):
        if bucket.label == label:
            return place
    known = f"{buckets[0].label} to {buckets[-1].label}"
    raise QueryRefused(f"There is no bucket with this label; they go from {known}.")


def local_days(times: Times, zone: ZoneInfo) -> Codes:
    """The local date of each instant, as days since 1970-01-01."""
    return (_local(times, zone) // DAY).astype(np.int32)


def local_hours(times: Times, zone: ZoneInfo) -> Codes:
    """The local hour of each instant, 0 to 23."""
    return (_local(times, zone) // HOUR % 24).astype(np.int32)


def weekdays(days: Codes) -> Codes:
    """The weekday of days since 1970-01-01, 0 is Sunday."""
    return ((days + 4) % 7).astype(np.int32)


def date_of(day: int) -> date:
    """The date that is so many days after 1970-01-01."""
    return date.fromordinal(day + _EPOCH_ORDINAL)


def period_of(days: Codes, granularity: Granularity) -> Codes:
    """A number for the local week (by its Monday) or month of each day; of days, the day itself. Consecutive."""
    if granularity == "day":
        return days
    if granularity == "week":
        return ((days + 3) // 7).astype(np.int32)
    months: Codes = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    return months


def _edges(start: datetime, end: datetime, granularity: Granularity, zone: ZoneInfo) -> Iterator[datetime]:
    # Compared in UTC: two instants of one zone are compared by what the clocks show, which is not always their order.
    last = end.astimezone(UTC)
    if granularity == "hour":
        # Through UTC: the full hour may be one that the clocks skipped.
        edge = start.replace(minute=0, second=0, microsecond=0).astimezone(UTC).astimezone(zone)
        yield edge
        while edge.astimezone(UTC) < last:
            edge = _next_hour(edge, zone)
            yield edge
        return
    day = start.date()
    if granularity == "week":
        day -= timedelta(days=day.weekday())
    elif granularity == "month":
        day = day.replace(day=1)
    edge = _midnight(day, zone)
    yield edge
    while edge.astimezone(UTC) < last:
        day = _next(day, granularity)
        edge = _midnight(day, zone)
        yield edge


def _next_hour(edge: datetime, zone: ZoneInfo) -> datetime:
    """The beginning of the next local hour: mostly an hour later, less where clocks change by half an hour."""
    instant = edge.astimezone(UTC)
    following = (instant + timedelta(hours=1)).astimezone(zone)
    if following.utcoffset() == edge.utcoffset() and following.minute == 0:
        return following
    shown = edge.hour, edge.utcoffset()
    while shown == (edge.hour, edge.utcoffset()):
        instant += _QUARTER
        edge = instant.astimezone(zone)
    return edge


def _next(day: date, granularity: Granularity) -> date:
    if granularity == "month":
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if granularity == "week" else 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _label(start: datetime, granularity: Granularity) -> str:
    return start.isoformat(timespec="minutes") if granularity == "hour" else start.date().isoformat()


def _local(times: Times, zone: ZoneInfo) -> Times:
    """Microseconds that show local time when read as if they were UTC."""
    if not len(times):
        return times
    first, last = (date_of(int(bound // DAY)) for bound in (times.min(), times.max()))
    since, offsets = _offsets(zone.key, first, last)
    shifts = offsets[0] if len(offsets) == 1 else offsets[np.searchsorted(since, times, side="right") - 1]
    local: Times = times + shifts
    return local


@lru_cache(maxsize=256)
def _offsets(zone_key: str, first: date, last: date) -> tuple[Times, Times]:
    """From when on which offset from UTC holds, in microseconds, between two UTC days."""
    zone = ZoneInfo(zone_key)
    instant = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC) + timedelta(days=1)
    since, offsets = [micros(instant)], [_offset(instant, zone)]
    while instant < end:
        following = instant + timedelta(days=1)
        if _offset(following, zone) != offsets[-1]:
            change = instant
            while _offset(change, zone) == offsets[-1]:
                change += _QUARTER
            since.append(micros(change))
            offsets.append(_offset(change, zone))
        instant = following
    return np.array(since, np.int64), np.array(offsets, np.int64)


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
