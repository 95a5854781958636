"""How many questions are answered at once: of a tenant, and of all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from chatnation.core.errors import Problem


class Slots:
    """`each` for a tenant, of `together` for all. Who comes later waits in line, but not over `patience` seconds."""

    def __init__(self, each: int, together: int, patience: float) -> None:
        self._each = each
        self._together = asyncio.Semaphore(together)
        self._patience = patience
        self._lines: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def slot(self, tenant_id: int) -> AsyncIterator[None]:
        """Hold a slot of the tenant; raises Problem 429 when none of its own came free, 503 when none of all."""
        line = self._lines.get(tenant_id)
        if line is None:
            line = self._lines[tenant_id] = asyncio.Semaphore(self._each)
        detail = f"Your organisation asks more than {self._each} questions at once. Try again shortly."
        async with self._turn(line, Problem(429, "too_many_queries", detail, headers=self._later)):
            busy = Problem(503, "busy", "Too many questions are asked at once. Try again shortly.", headers=self._later)
            async with self._turn(self._together, busy):
                yield

    @property
    def _later(self) -> dict[str, str]:
        return {"Retry-After": str(max(1, round(self._patience)))}

    @asynccontextmanager
    async def _turn(self, line: asyncio.Semaphore, refusal: Problem) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                await line.acquire()
        except TimeoutError:
            raise refusal from None
        try:
            yield
        finally:
            line.release()
