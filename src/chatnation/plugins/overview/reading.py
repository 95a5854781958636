"""Reads what the page and the API need, several queries at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from chatnation import Storage
from chatnation.plugins.dashboard.api import Period
from chatnation.plugins.overview.queries import DayCount, Source, Totals

T = TypeVar("T")

DEVICES, BROWSERS, COUNTRIES, PAGES = 10, 10, 10, 15
"""How many rows a list has; the rest of a long tail helps nobody on an overview."""

Counts = list[tuple[str | None, int]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The numbers of the overview page, without those of single pages."""

    now: Totals
    before: Totals
    days: list[DayCount]
    heatmap: list[list[int]]
    devices: Counts
    browsers: Counts
    countries: Counts


class Reader:
    """Asks for numbers of one tenant, each question in a short transaction of its own so that they run side by side."""

    def __init__(self, storage: Storage, tenant_id: int) -> None:
        self._storage = storage
        self._tenant_id = tenant_id

    async def ask(self, question: Callable[[Source], Awaitable[T]]) -> T:
        """The answer to one question."""
        async with self._storage.tenant(self._tenant_id) as connection:
            return await question(Source(connection, self._tenant_id))

    async def snapshot(self, period: Period) -> Snapshot:
        """Everything that the page shows at once."""
        now, before, days, (heatmap, devices, browsers, countries) = await asyncio.gather(
            self.ask(lambda source: source.totals(period)),
            self.ask(lambda source: source.totals(period.previous())),
            self.ask(lambda source: source.days(period)),
            self.ask(lambda source: _lists(source, period)),
        )
        return Snapshot(now, before, days, heatmap, devices, browsers, countries)


async def _lists(source: Source, period: Period) -> tuple[list[list[int]], Counts, Counts, Counts]:
    return (
        await source.heatmap(period),
        await source.breakdown(period, "device_type", DEVICES),
        await source.breakdown(period, "browser_name", BROWSERS),
        await source.breakdown(period, "country_code", COUNTRIES),
    )
