"""An office with funnels, and random visits that are told twice: to the collector, and as plain events to recount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.core.web import csrf
from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.funnels.plugin import FunnelsPlugin
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.plugins.useragent.plugin import UseragentPlugin
from chatnation.testing import FakeClock, RunningApp, Source, identify, track
from chatnation.testing.apps import MakeApp, Person
from chatnation.testing.events import Wire
from tests.core.query.histories import PlainEvent

NOW = datetime(2025, 4, 2, 9, 30, tzinfo=UTC)
"""Berlin's clocks went forward on 30 March."""
NAMES = ("start", "form", "submit", "done", "help")
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass(frozen=True)
class Office:
    """A running app, a tenant, and a client of its admin."""

    app: RunningApp
    source: Source
    admin: Person
    client: httpx.AsyncClient
    clock: FakeClock

    async def as_role(self, role: RoleName, source: Source | None = None) -> httpx.AsyncClient:
        """A client of somebody else."""
        return await signed_in(self.app, await self.app.person((source or self.source).tenant, role))

    async def funnel(self, **body: Any) -> Any:
        """What the API answers."""
        answer = await self.client.post("/api/funnel", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def page(self, path: str, status: int = 200) -> str:
        """A page as a browser gets it, redirects followed."""
        answer = await self.client.get(path, headers={"Accept": "text/html"}, follow_redirects=True)
        assert answer.status_code == status, answer.text
        return answer.text


async def signed_in(app: RunningApp, person: Person) -> httpx.AsyncClient:
    """A client whose requests carry the token against forged ones."""
    secret = app.app.settings.secret_key
    assert secret is not None
    token = csrf.make_token(secret.get_secret_value(), person.token)
    return await app.client(person, headers={csrf.HEADER: token})


async def open_office(make_app: MakeApp, timezone: str = "Africa/Nairobi") -> Office:
    """An office in a time zone."""
    clock = FakeClock(NOW)
    app = await make_app(FunnelsPlugin, DashboardPlugin, SessionsPlugin, UseragentPlugin, clock=clock)
    source = await app.source(ip_mode="off", timezone=timezone)
    admin = await app.person(source.tenant)
    return Office(app, source, admin, await signed_in(app, admin), clock)


@pytest.fixture
async def office(make_app: MakeApp) -> Office:
    return await open_office(make_app)


def random_visits(random: Random, count: int) -> tuple[list[Wire], list[PlainEvent]]:
    """Events of a few visitors in no order, some of whom turn out to be one person, and one of whom is a bot.

    Many are at equal times, where the sequence decides; some are sent twice.
    """
    visitors = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(1, 8)]
    users = {visitor: f"user-{random.randrange(4)}" for visitor in random.sample(visitors[:-1], 4)}
    instants = [NOW - timedelta(minutes=15 * random.randrange(4 * 24 * 12)) for _ in range(count // 3)]
    wires, plain = [], []
    for number in range(count):
        visitor = random.choice(visitors)
        at = random.choice(instants)
        flags = {"journey_start": random.random() < 0.7, "journey_end": random.random() < 0.7}
        properties: dict[str, Any] = {"kind": random.choice(("mri", "tot", None)), "amount": random.choice((1, "2"))}
        context = {"userAgent": BOT} if visitor == visitors[-1] else {}
        name = random.choice(NAMES)
        wires.append(track(name, properties, at=at, visitor=visitor, sequence=number, context=context, **flags))
        person = users.get(visitor, visitor)
        is_bot = visitor == visitors[-1]
        plain.append(PlainEvent(at, name, person, None, number, number, {}, properties, is_bot=is_bot, **flags))
    for number, (visitor, user) in enumerate(users.items(), count):
        wires.append(identify(user, visitor=visitor, at=NOW - timedelta(days=20), sequence=number))
    wires += random.sample(wires, 3)
    random.shuffle(wires)
    return wires, plain


def entered(events: Sequence[PlainEvent], kind: str) -> list[PlainEvent]:
    """The events of one kind."""
    return [replace(event) for event in events if event.properties["kind"] == kind]
