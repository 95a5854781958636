"""What buckets and values are called on a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from chatnation.query import Bucket, Granularity

UNKNOWN = "Unknown"
OTHER = "Other"

Rename = Callable[[str], str]
"""How a value is called: for example `country_name`."""


def bucket_labels(buckets: Sequence[Bucket], granularity: Granularity) -> list[str]:
    """Short names of the buckets of one chart: the year only where they are of several, hours of one day without it."""
    if granularity == "hour" and len({bucket.start.date() for bucket in buckets}) == 1:
        return [f"{bucket.start:%H:%M}" for bucket in buckets]
    several = len({bucket.start.year for bucket in buckets}) > 1
    return [bucket_label(bucket, granularity, year=several) for bucket in buckets]


def bucket_label(bucket: Bucket, granularity: Granularity, *, year: bool = False) -> str:
    """A short name: 3 Nov 14:00 · 3 Nov · 3-9 Nov (a week, with an en dash) · Nov 2025."""
    start = bucket.start
    suffix = f" {start.year}" if year else ""
    match granularity:
        case "hour":
            return f"{start:%-d %b}{suffix} {start:%H:%M}"
        case "day":
            return f"{start:%-d %b}{suffix}"
        case "week":
            last = bucket.end - timedelta(microseconds=1)
            first = f"{start.day}" if start.month == last.month else f"{start:%-d %b}"
            return f"{first}–{last:%-d %b}{suffix}"  # noqa: RUF001 - a range takes an en dash
    return f"{start:%b %Y}"


def value_name(value: str | None, rename: Rename | None = None, *, other: bool = False) -> str:
    """How a value of a breakdown is called."""
    if other:
        return OTHER
    if value is None or value == "":
        return UNKNOWN
    return rename(value) if rename else value


def range_label(low: float | None, high: float | None, name: Callable[[float], str]) -> str:
    """A stretch of numbers, its lower edge included: under 10 · 10-20 (with an en dash) · 20 or more."""
    if low is None:
        return f"under {name(high)}" if high is not None else "any"
    if high is None:
        return f"{name(low)} or more"
    return f"{name(low)}–{name(high)}"  # noqa: RUF001 - a range takes an en dash
