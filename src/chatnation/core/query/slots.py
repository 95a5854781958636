"""How many questions of a tenant are answered at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from chatnation.core.errors import Problem


class Slots:
    """So many a tenant; who comes later waits in line, and is sent away after `patience` seconds."""

    def __init__(self, each: int, patience: float) -> None:
        self._each = each
        self._patience = patience
        self._lines: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, tenant_id: int) -> AsyncIterator[None]:
        """Hold a slot of the tenant; raises Problem 429 when none came free."""
        line = self._lines.get(tenant_id)
        if line is None:
            line = self._lines[tenant_id] = asyncio.Semaphore(self._each)
        try:
            async with asyncio.timeout(self._patience):
                await line.acquire()
        except TimeoutError:
            raise Problem(
                429,
                "too_many_queries",
                f"Your organisation asks more than {self._each} questions at once. Try again shortly.",
                headers={"Retry-After": str(max(1, round(self._patience)))},
            ) from None
        try:
            yield
        finally:
            line.release()
