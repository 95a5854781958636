"""What tests share that recount the numbers of an API: an app whose clock stands still, and what it is asked."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import httpx
import pytest

from chatnation.testing import FakeClock, MakeApp, RunningApp, Source
from chatnation.testing.events import Wire

NOW = datetime(2025, 4, 2, 9, 30, tzinfo=UTC)
"""Berlin's clocks went forward on 30 March."""
AT_ONCE = 200
LENGTHS = {"today": 1, "7d": 7, "90d": 90}


class Said(Protocol):
    """Something of a made-up history."""

    def wire(self) -> Wire:
        """As a client sends it."""
        ...


async def opened(make_app: MakeApp, timezone: str = "Africa/Nairobi") -> tuple[RunningApp, Source, httpx.AsyncClient]:
    """An app at `NOW`, a source of a tenant in a time zone, and a client of its admin."""
    app = await make_app(clock=FakeClock(NOW))
    source = await app.source(timezone=timezone)
    return app, source, await app.client(await app.person(source.tenant))


async def stored(app: RunningApp, source: Source, said: Iterable[Said]) -> None:
    """Send it all, and wait until it is stored."""
    wires = [one.wire() for one in said]
    for start in range(0, len(wires), AT_ONCE):
        await app.ingest_and_drain(wires[start : start + AT_ONCE], source)


def asking(base: str) -> Callable[..., Awaitable[Any]]:
    """A function that gives what an address under `base` answers: `ask(client, path, **parameters)`."""

    async def ask(client: httpx.AsyncClient, path: str, **parameters: str) -> Any:
        answer = await client.get(f"{base}/{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


async def events_behind(client: httpx.AsyncClient, part: str) -> int:
    """Follow every number of a card that leads to events: there are as many as it says. Gives their sum."""
    total = 0
    for link, said in re.findall(r'<a[^>]+href="(/events\?[^"]+)"[^>]*>\s*([\d,]+)\s*</a>', part):
        answer = await client.get(html.unescape(link).replace("/events?", "/api/events?") + "&limit=1000")
        assert answer.status_code == 200, answer.text
        number = int(said.replace(",", ""))
        assert len(answer.json()["items"]) == number, link
        total += number
    return total


def bounds(period: dict[str, str], zone: ZoneInfo, now: datetime = NOW) -> tuple[datetime, datetime]:
    """The period that the parameters ask for, worked out anew."""

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), zone)

    if "start_date" in period:
        start, end = (datetime.fromisoformat(period[name]) for name in ("start_date", "end_date"))
        if "T" in period["start_date"]:
            return (start, end) if start.tzinfo else (start.replace(tzinfo=zone), end.replace(tzinfo=zone))
        return midnight(start.date()), midnight(end.date() + timedelta(days=1))
    today = now.astimezone(zone).date()
    length = LENGTHS.get(period.get("period", ""), 30)
    return midnight(today - timedelta(days=length - 1)), midnight(today + timedelta(days=1))


def share(part: float, whole: float) -> Any:
    """A part of a whole in percent, to compare with; None where there is no whole."""
    return pytest.approx(100 * part / whole) if whole else None
