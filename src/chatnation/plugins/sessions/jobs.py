"""Work of the sessions plugin that is done later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatnation import Services, Storage
from chatnation.plugins.sessions import counts, people

SETTLE = "sessions.settle_counts"
COUNT_PEOPLE = "sessions.count_people"


class SettleCounts:
    """Adds up the counts that came in since the last time, so that reading them stays quick."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def __call__(self, payload: dict[str, Any]) -> None:
        async with self._services().get(Storage).system("add up the counts of sessions of all tenants") as connection:
            await counts.settle(connection)


class CountPeople:
    """Counts in who came since the last time, of every tenant, in transactions of moderate size."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def __call__(self, payload: dict[str, Any]) -> None:
        storage = self._services().get(Storage)
        async with storage.system("whose counts of people are behind") as connection:
            behind = await people.behind(connection)
        for tenant_id, zone in behind:
            counted = 1
            while counted:
                async with storage.tenant(tenant_id) as connection:
                    counted = await people.keep_up(connection, tenant_id, zone)
