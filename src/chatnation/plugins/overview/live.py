"""What happens now: events in the last minute and persons in the last five, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, LiveHub
from chatnation.query import Analytics, Measure, Range, Series, Timeseries

KIND = "overview.live"
EVENTS_WINDOW = timedelta(seconds=60)
PERSONS_WINDOW = timedelta(minutes=5)
REFRESH_SECONDS = 2.0
"""However much happens, a page is told at most this often; and as often while nothing does, so that numbers fall."""
_LEAST_SECONDS = 1.0


class LiveFigures(BaseModel):
    """The numbers of this moment."""

    events_last_minute: int = Field(description="Stored events of the last 60 seconds.")
    active_now: int = Field(description="Different persons with an event in the last 5 minutes.")


class LiveCounter:
    """Counts for every open page of a tenant together: one count a second and tenant at most, however many look."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app
        self._latest: dict[int, tuple[float, LiveFigures]] = {}
        self._counting: dict[int, asyncio.Lock] = {}

    async def figures(self, tenant_id: int) -> LiveFigures:
        """The numbers of this moment, at most a second old."""
        async with self._counting.setdefault(tenant_id, asyncio.Lock()):
            counted_at, figures = self._latest.get(tenant_id, (0.0, None))
            if figures is None or time.monotonic() - counted_at > _LEAST_SECONDS:
                figures = await self._count(tenant_id, self._app().clock.now())
                self._latest[tenant_id] = (time.monotonic(), figures)
            return figures

    async def stream(self, request: Request) -> Response:
        """The numbers now, and again whenever they change, as server-sent events."""
        hub = self._app().services.get(LiveHub)
        tenant_id: int = request.state.actor.tenant.id

        async def changes() -> AsyncIterator[tuple[str, bytes] | None]:
            shown = await self.figures(tenant_id)
            yield KIND, shown.model_dump_json().encode()
            async for _ in hub.messages(tenant_id, heartbeat=REFRESH_SECONDS):
                figures = await self.figures(tenant_id)
                yield (KIND, figures.model_dump_json().encode()) if figures != shown else None
                shown = figures

        return hub.stream(changes())

    async def _count(self, tenant_id: int, now: datetime) -> LiveFigures:
        end = now + timedelta(microseconds=1)
        minute = Timeseries(range=Range(now - EVENTS_WINDOW, end), series=(Series("events"),), granularity="hour")
        active = Timeseries(
            range=Range(now - PERSONS_WINDOW, end),
            series=(Series("persons", measure=Measure("persons")),),
            granularity="hour",
        )
        events, persons = await self._app().services.get(Analytics).ask_all(tenant_id, [minute, active])
        return LiveFigures(
            events_last_minute=int(events.line("events").total or 0),
            active_now=int(persons.line("persons").total or 0),
        )
