"""Columns that are computed from others, so that no loader hears of them: parts of the local time, and `first_of`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from chatnation.core.query.evaluate.calendar import date_of, local_days, local_hours, period_of, weekdays
from chatnation.core.query.evaluate.first_actors import Texts, first_actor
from chatnation.core.query.fields import FIRST_OF, WHO, Field, actor_parts
from chatnation.core.query.frame import (
    MISSING,
    Actors,
    Coded,
    Codes,
    Frame,
    Loader,
    Mask,
    Need,
    Numbers,
    Rows,
    Times,
)
from chatnation.core.query.instants import SECOND, micros

_QUARTER = 900 * SECOND
_WHOLE_QUARTERS = micros(datetime(1973, 1, 1, tzinfo=UTC))
"""Since then every offset from UTC, of every zone, is a whole number of quarters of an hour."""

_COMPUTED = frozenset({"time", "first_of"})

_MONDAY = -3
"""The Monday of week 0 of `period_of`: 1970-01-01 was a Thursday."""


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """A frame that has the fields `time.*` too, in a zone, and those that are the first of several.

    `firsts`: for each selection that asks for it, by its text, the rows that its `first` means.
    """

    frame: Frame
    zone: ZoneInfo
    firsts: Mapping[str, Mask] = field(default_factory=dict)
    _columns: dict[Field, Coded] = field(default_factory=dict, compare=False, repr=False)

    @property
    def size(self) -> int:
        return self.frame.size

    @property
    def time(self) -> Times:
        return self.frame.time

    def column(self, field: Field) -> Coded:
        if field.scope not in _COMPUTED:
            return self.frame.column(field)
        if field not in self._columns:
            self._columns[field] = (
                time_part(self.time, field.name, self.zone)
                if field.scope == "time"
                else first_of([self.column(part) for part in field.parts], self.size)
            )
        return self._columns[field]

    def column_at(self, field: Field, rows: Rows) -> Coded:
        """A field of some rows; of few of them quicker than a part of the whole column."""
        if field.scope != "first_of":
            return self.column(field).take(rows)
        return first_of([self.column(part).take(rows) for part in field.parts], len(rows))

    def numbers(self, field: Field) -> Numbers:
        if field.scope == "first_of":
            return self._first_numbers(field)
        if field.scope != "time":
            return self.frame.numbers(field)
        column = self.column(field)
        numbers = np.array([float(text) if text.isdecimal() else np.nan for text in column.values], np.float64)
        values = numbers[column.codes] if len(numbers) else np.empty(0, np.float64)
        return Numbers(values, np.isnan(values))

    def _first_numbers(self, field: Field) -> Numbers:
        values, unusable = np.full(self.size, np.nan), np.zeros(self.size, np.bool_)
        missing = np.ones(self.size, np.bool_)
        for part in field.parts:
            numbers, found = self.numbers(part), missing & (self.column(part).codes != MISSING)
            values[found], unusable[found] = numbers.values[found], numbers.unusable[found]
            missing &= ~found
        return Numbers(values, unusable)

    def actors(self, actor: str) -> Actors:
        if not actor.startswith(FIRST_OF):
            return self.frame.actors(actor)
        return first_actor([self._kind(part) for part in actor_parts(actor)])

    def _kind(self, actor: str) -> Actors:
        if actor in WHO:
            return self.frame.actors(actor)
        column = self.column(Field.parsed(actor))
        return Actors(column.codes, Texts(column.values))

    def take(self, rows: Rows | Mask) -> LocalFrame:
        firsts = {select: mask[rows] for select, mask in self.firsts.items()}
        return LocalFrame(self.frame.take(rows), self.zone, firsts)


@dataclass(frozen=True, slots=True)
class LocalLoader:
    """Loads frames that have the computed fields too."""

    loader: Loader
    zone: ZoneInfo

    async def load(
        self, start: datetime | None, end: datetime | None, need: Need, events: Collection[str] = ()
    ) -> LocalFrame:
        return LocalFrame(await self.loader.load(start, end, loadable(need), events), self.zone)


def localized(loader: Loader, zone: ZoneInfo) -> LocalLoader:
    """A loader whose frames have the computed fields; one that has them already stays as it is."""
    return loader if isinstance(loader, LocalLoader) else LocalLoader(loader, zone)


def loadable(need: Need) -> Need:
    """What has to be loaded for a need: no computed fields, but what these are computed from."""
    several = [actor for actor in need.actors if actor.startswith(FIRST_OF)]
    if not several and not any(field.scope in _COMPUTED for field in (*need.columns, *need.numbers)):
        return need
    kinds = [kind for actor in several for kind in actor_parts(actor)]
    needed = {*need.columns, *(Field.parsed(kind) for kind in kinds if kind not in WHO)}
    firsts = [part for field in need.numbers if field.scope == "first_of" for part in field.parts]
    columns = {part for field in needed for part in field.parts} | set(firsts)
    numbers = {part for field in need.numbers for part in field.parts}
    return replace(
        need,
        columns=frozenset(field for field in columns if field.scope != "time"),
        numbers=frozenset(field for field in numbers if field.scope != "time"),
        actors=need.actors.difference(several).union(kind for kind in kinds if kind in WHO),
    )


def first_of(columns: Sequence[Coded], size: int) -> Coded:
    """The first of several columns that has a value, for each of `size` rows."""
    places: dict[str, int] = {}
    codes = np.full(size, MISSING, np.int32)
    for column in columns:
        # The place behind the last value is that of rows without one: their code, -1, leads there.
        table = [*(places.setdefault(text, len(places)) for text in column.values), MISSING]
        codes = np.where(codes == MISSING, np.array(table, np.int32)[column.codes], codes)
    return Coded(codes, list(places))


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
