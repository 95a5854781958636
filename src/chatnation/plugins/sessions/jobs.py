"""Work of the sessions plugin that is done later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatnation import Services, Storage
from chatnation.plugins.sessions import counts

SETTLE = "sessions.settle_counts"


class SettleCounts:
    """Adds up the counts that came in since the last time, so that reading them stays quick."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def __call__(self, payload: dict[str, Any]) -> None:
        async with self._services().get(Storage).system("add up the counts of sessions of all tenants") as connection:
            await counts.settle(connection)
