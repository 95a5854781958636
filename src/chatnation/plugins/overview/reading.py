"""Reads what the page and the API need, several questions at a time, and remembers what is costly to count."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar, cast

from chatnation import Storage
from chatnation.plugins.dashboard.api import Period
from chatnation.plugins.overview.queries import Counts, PageCount, People, PeopleByDay, Source, Sums, add_up
from chatnation.plugins.sessions.api import DIMENSIONS, HourCount, aligned

T = TypeVar("T")

LIST_ROWS, PAGE_ROWS = 10, 15
"""How many rows a list has; the rest of a long tail helps nobody on an overview."""
MANY_VIEWS = 200_000
"""With more views than this, the sessions behind each page are counted only when somebody asks."""
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class DayCount:
    """A local day and what was counted of sessions that began on it."""

    day: date
    sessions: int
    persons: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Everything that is counted once for a period."""

    sums: Sums
    people: People


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The numbers of the overview page. `heatmap` is sessions by weekday, Sunday first, and local hour."""

    now: Totals
    before: Totals
    days: list[DayCount]
    heatmap: list[list[int]]
    devices: Counts
    browsers: Counts
    countries: Counts
    pages: list[PageCount]


class Memory:
    """Answers that hold as long as nothing has changed of what they were counted from, which a `stamp` tells.

    So an answer from memory is never an old one. The least recently used are forgotten.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()

    async def recall(self, key: Hashable, stamp: Hashable, count: Callable[[], Awaitable[T]]) -> T:
        """The answer to `key` as of `stamp`, counted if it is not known."""
        known = self._answers.get(key)
        if known is not None and known[0] == stamp:
            self._answers.move_to_end(key)
            return cast("T", known[1])
        answer = await count()
        self._answers[key] = (stamp, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)
        return answer


class Reader:
    """Asks for numbers of one tenant, in short transactions of their own so that they run side by side."""

    def __init__(self, storage: Storage, memory: Memory, tenant_id: int) -> None:
        self._storage = storage
        self._memory = memory
        self._tenant_id = tenant_id

    async def ask(self, question: Callable[[Source], Awaitable[T]]) -> T:
        """The answer to one question."""
        async with self._storage.tenant(self._tenant_id) as connection:
            return await question(Source(connection, self._tenant_id))

    async def snapshot(self, period: Period) -> Snapshot:
        """Everything that the page shows at once."""
        before = period.previous()

        async def what_adds_up(source: Source) -> Any:
            return (
                await source.hours(period),
                await source.hours(before),
                await source.breakdowns(period, DIMENSIONS, LIST_ROWS),
                await source.merges(),
            )

        async def kept_people(source: Source) -> Any:
            return await source.kept_people(period), await source.kept_people(before)

        (hours, hours_before, lists, merges), kept, pages = await asyncio.gather(
            self.ask(what_adds_up), self.ask(kept_people), self.ask(lambda source: source.pages(period, PAGE_ROWS))
        )
        sums, sums_before = add_up(hours), add_up(hours_before)
        people, people_before = await asyncio.gather(
            self._people_by_day(period, kept[0], sums, merges), self._people(before, kept[1], sums_before, merges)
        )
        return Snapshot(
            now=Totals(sums, people.total),
            before=Totals(sums_before, people_before),
            days=day_counts(period, hours, people.days),
            heatmap=heatmap(hours),
            devices=lists["device_type"],
            browsers=lists["browser_name"],
            countries=lists["country_code"],
            pages=pages,
        )

    async def hours(self, period: Period) -> list[HourCount]:
        """What can be added up, by local hour."""
        return await self.ask(lambda source: source.hours(period))

    async def breakdown(self, period: Period, column: str) -> Counts:
        """Sessions by one column."""
        return (await self.ask(lambda source: source.breakdowns(period, [column], LIST_ROWS)))[column]

    async def days(self, period: Period) -> list[DayCount]:
        """Sessions and persons by local day, days without any included."""
        hours, merges, kept = await self._hours_and_people(period)
        people = await self._people_by_day(period, kept, add_up(hours), merges)
        return day_counts(period, hours, people.days)

    async def people(self, period: Period) -> People:
        """Different persons."""
        hours, merges, kept = await self._hours_and_people(period)
        return await self._people(period, kept, add_up(hours), merges)

    async def pages(self, period: Period) -> list[PageCount]:
        """The most viewed pages, with the sessions that looked at each."""
        hours = await self.hours(period)
        pages = await self.ask(lambda source: source.pages(period, PAGE_ROWS))
        stamp = (add_up(hours).changes, tuple(pages))
        return await self._recall(
            "pages", period, stamp, lambda: self.ask(lambda source: source.with_sessions(period, pages))
        )

    async def _hours_and_people(self, period: Period) -> tuple[list[HourCount], int, PeopleByDay | None]:
        async def question(source: Source) -> tuple[list[HourCount], int, PeopleByDay | None]:
            return await source.hours(period), await source.merges(), await source.kept_people(period)

        return await self.ask(question)

    async def _people(self, period: Period, kept: PeopleByDay | None, sums: Sums, merges: int) -> People:
        if kept is not None:
            return kept.total
        stamp = (sums.changes, merges)
        return await self._recall("people", period, stamp, lambda: self.ask(lambda source: source.people(period)))

    async def _people_by_day(self, period: Period, kept: PeopleByDay | None, sums: Sums, merges: int) -> PeopleByDay:
        if kept is not None:
            return kept
        stamp = (sums.changes, merges)
        return await self._recall(
            "people by day", period, stamp, lambda: self.ask(lambda source: source.people_by_day(period))
        )

    async def _recall(self, what: str, period: Period, stamp: Hashable, count: Callable[[], Awaitable[T]]) -> T:
        """From memory, where the stamp tells of every change. It does not where sessions themselves are counted."""
        if not aligned(period.start, period.end):
            return await count()
        key = (self._tenant_id, what, period.start, period.end, period.timezone)
        return await self._memory.recall(key, stamp, count)


def day_counts(period: Period, hours: list[HourCount], persons: Mapping[date, int]) -> list[DayCount]:
    """One count a day of `period`, days without any included."""
    sessions: dict[date, int] = {}
    for hour in hours:
        sessions[hour.day] = sessions.get(hour.day, 0) + hour.sessions
    return [DayCount(day, sessions.get(day, 0), persons.get(day, 0)) for day in period.days]


def heatmap(hours: list[HourCount]) -> list[list[int]]:
    """Sessions by weekday, Sunday first, and hour: 7 lists of 24."""
    cells = [[0] * 24 for _ in range(7)]
    for hour in hours:
        cells[hour.day.isoweekday() % 7][hour.hour] += hour.sessions
    return cells
