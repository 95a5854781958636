"""Work of the overview plugin that is done later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatnation import Services, Storage
from chatnation.plugins.overview import actions

SETTLE = "overview.settle_counts"


class SettleCounts:
    """Adds up the counts that came in since the last time, so that reading them stays quick."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    async def __call__(self, payload: dict[str, Any]) -> None:
        async with self._services().get(Storage).system("add up the page views of all tenants") as connection:
            await actions.settle(connection)
