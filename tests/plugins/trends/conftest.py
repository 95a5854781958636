"""An office with trends, and a random history that was sent to its collector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx

from chatnation.core.auth.tenancy import change_tenant
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.testing import FakeClock, RunningApp, Source, identify, page_view, track, whatsapp_message
from chatnation.testing.apps import MakeApp, Person
from chatnation.testing.events import Wire
from tests.plugins.trends.oracle import Sent

NOW = datetime(2025, 4, 2, 9, 30, tzinfo=UTC)
"""Berlin's clocks went forward on 30 March."""
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass(frozen=True)
class Office:
    """A running app, a tenant, and a client of its admin."""

    app: RunningApp
    source: Source
    admin: Person
    client: httpx.AsyncClient

    async def trend(self, name: str, **parameters: Any) -> Any:
        """What the API answers."""
        answer = await self.client.get(f"/api/trends/{name}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def page(self, path: str, status: int = 200, **parameters: Any) -> str:
        """A page as a browser gets it."""
        answer = await self.client.get(path, params=parameters, headers={"Accept": "text/html"})
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, events: Iterable[Sent], random: Random | None = None) -> None:
        """Send them all, shuffled where `random` is given, a few at a time."""
        wires = [wire(event) for event in events]
        if random is not None:
            random.shuffle(wires)
        for start in range(0, len(wires), 400):
            await self.app.ingest_and_drain(wires[start : start + 400], self.source)

    async def build_columns(self) -> None:
        """Do what the job does every few minutes: copy what changed into columns."""
        await SegmentBuilder.of(self.app.app).run()


async def open_office(make_app: MakeApp, timezone: str = "Africa/Nairobi") -> Office:
    """An office in a time zone."""
    app = await make_app(clock=FakeClock(NOW))
    source = await app.source(ip_mode="off")
    async with app.app.storage.system("set the time zone of a test") as connection:
        await change_tenant(connection, source.tenant.id, timezone=timezone)
    admin = await app.person(source.tenant)
    return Office(app, source, admin, await app.client(admin))


def wire(event: Sent) -> Wire:
    """An event as a client sends it."""
    about: dict[str, Any] = {"at": event.at, "visitor": event.visitor, "context": {}}
    if event.is_bot:
        about["context"] = {"userAgent": BOT}
    if event.name == "message.received":
        return whatsapp_message(event.visitor, "Habari", at=event.at)
    if event.channel == "whatsapp":
        context = {"channel": "whatsapp", "externalId": event.visitor}
        return track(event.name, at=event.at, visitor=event.visitor, user=event.user, context=context)
    if event.name == "identify":
        assert event.user is not None
        return identify(event.user, **about)
    if event.name == "page_view":
        return page_view(event.page or "/", journey_start=event.journey, **about)
    properties = {"error_code": event.code, "message": "It did not work"} if event.code else {}
    return track(event.name, properties, journey_start=event.journey, **about)
