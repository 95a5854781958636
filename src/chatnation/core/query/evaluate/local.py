"""Parts of the local time as columns: they are computed from the time of each row, and no loader hears of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from chatnation.core.query.evaluate.calendar import SECOND, date_of, local_days, local_hours, period_of, weekdays
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Actors, Coded, Codes, Frame, Loader, Mask, Need, Numbers, Rows, Times, micros

_QUARTER = 900 * SECOND
_WHOLE_QUARTERS = micros(datetime(1973, 1, 1, tzinfo=UTC))
"""Since then every offset from UTC, of every zone, is a whole number of quarters of an hour."""

_MONDAY = -3
"""The Monday of week 0 of `period_of`: 1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """A frame that has the fields `time.*` too, in a zone."""

    frame: Frame
    zone: ZoneInfo
    _parts: dict[str, Coded] = field(default_factory=dict, compare=False, repr=False)

    @property
    def size(self) -> int:
        return self.frame.size

    @property
    def time(self) -> Times:
        return self.frame.time

    def column(self, field: Field) -> Coded:
        if field.scope != "time":
            return self.frame.column(field)
        if field.name not in self._parts:
            self._parts[field.name] = time_part(self.time, field.name, self.zone)
        return self._parts[field.name]

    def numbers(self, field: Field) -> Numbers:
        if field.scope != "time":
            return self.frame.numbers(field)
        column = self.column(field)
        numbers = np.array([float(text) if text.isdecimal() else np.nan for text in column.values], np.float64)
        values = numbers[column.codes] if len(numbers) else np.empty(0, np.float64)
        return Numbers(values, np.isnan(values))

    def actors(self, actor: str) -> Actors:
        return self.frame.actors(actor)

    def take(self, rows: Rows | Mask) -> LocalFrame:
        return LocalFrame(self.frame.take(rows), self.zone)


@dataclass(frozen=True, slots=True)
class LocalLoader:
    """Loads frames that have the fields `time.*`."""

    loader: Loader
    zone: ZoneInfo

    async def load(
        self, start: datetime | None, end: datetime | None, need: Need, events: Collection[str] = ()
    ) -> LocalFrame:
        return LocalFrame(await self.loader.load(start, end, without_time(need), events), self.zone)


def localized(loader: Loader, zone: ZoneInfo) -> LocalLoader:
    """A loader whose frames have the fields `time.*`; one that has them already stays as it is."""
    return loader if isinstance(loader, LocalLoader) else LocalLoader(loader, zone)


def without_time(need: Need) -> Need:
    """The part of a need that has to be loaded."""
    return replace(
        need,
        columns=frozenset(field for field in need.columns if field.scope != "time"),
        numbers=frozenset(field for field in need.numbers if field.scope != "time"),
    )


def time_part(times: Times, name: str, zone: ZoneInfo) -> Coded:
    """One of `TIME_PARTS` of each instant; these never fall."""
    quarters = np.arange(times[0] // _QUARTER, times[-1] // _QUARTER + 1) * _QUARTER if len(times) else times
    if len(quarters) >= len(times) or times[0] < _WHOLE_QUARTERS:
        return _time_part(times, name, zone)
    # All instants of a quarter of an hour have the same parts; there are few quarters, and rows are in their order.
    column = _time_part(quarters, name, zone)
    counts = np.diff(np.searchsorted(times, quarters), append=len(times))
    return Coded(np.repeat(column.codes, counts), column.values)


def _time_part(times: Times, name: str, zone: ZoneInfo) -> Coded:
    if name == "hour":
        return Coded(local_hours(times, zone), [str(hour) for hour in range(24)])
    days = local_days(times, zone)
    if name == "weekday":
        return Coded(weekdays(days), [str(day) for day in range(7)])
    if name == "week":
        return _consecutive(period_of(days, "week"), lambda week: date_of(7 * week + _MONDAY).isoformat())
    if name == "month":
        return _consecutive(period_of(days, "month"), lambda month: f"{1970 + month // 12:04}-{month % 12 + 1:02}")
    return _consecutive(days, lambda day: date_of(day).isoformat())


def _consecutive(numbers: Codes, text: Callable[[int], str]) -> Coded:
    if not len(numbers):
        return Coded(numbers, [])
    first = int(numbers.min())
    return Coded(numbers - np.int32(first), [text(number) for number in range(first, int(numbers.max()) + 1)])
