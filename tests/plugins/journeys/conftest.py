"""An office with journeys, and random ones that are told twice: to the collector, and as plain facts to recount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from chatnation.plugins.dashboard.plugin import DashboardPlugin
from chatnation.plugins.journeys.plugin import JourneysPlugin
from chatnation.plugins.journeys.settings import JourneysTenantSettings
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.plugins.useragent.plugin import UseragentPlugin
from chatnation.testing import FakeClock, RunningApp, Source, identify, track
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import Wire

NOW = datetime(2025, 4, 2, 9, 30, tzinfo=UTC)
"""Berlin's clocks went forward on 30 March."""
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
NAMES: tuple[dict[str, str], ...] = (
    {"journey": "MRI", "step": "start"},
    {"journey": "mri"},
    {"obligation_type": "tot"},
    {"step": "nil_filing"},
    {"journeyStep": "NIL-Filing"},
    {},
)
STEPS: tuple[dict[str, str], ...] = (
    {"journeyStep": "otp", "handoffReason": "user_request"},
    {"journeyStep": "unknown", "handoffReason": "escalation"},
    {"handoffReason": "escalation"},
    {},
)
AGENTS: tuple[dict[str, str], ...] = (
    {"agentId": "a1", "agentName": "Amina"},
    {"agentId": "a2", "agentName": "Otieno"},
    {"agentId": "a3"},
    {},
)


@dataclass(frozen=True)
class Fact:
    """Something that a person did. `place` tells which of two facts at one instant comes first."""

    at: datetime
    place: int
    name: str
    person: str
    channel: str
    properties: dict[str, Any]
    is_bot: bool = False
    starts: bool = False
    ends: bool = False


@dataclass(frozen=True)
class Office:
    """A running app, a tenant, and a client of its admin."""

    app: RunningApp
    source: Source
    client: httpx.AsyncClient
    clock: FakeClock

    async def get(self, path: str, client: httpx.AsyncClient | None = None, **parameters: Any) -> Any:
        """The JSON that the API answers."""
        answer = await (client or self.client).get(f"/api/journeys{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def page(self, path: str, **parameters: Any) -> str:
        """A page as a browser gets it."""
        answer = await self.client.get(path, params=parameters, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def set(self, **settings: Any) -> None:
        """What the organisation decides."""
        chosen = JourneysTenantSettings(**settings)
        await self.app.app.tenant_settings.put(self.source.tenant.id, "journeys", chosen)


async def open_office(make_app: MakeApp, timezone: str = "Africa/Nairobi") -> Office:
    """An office in a time zone."""
    clock = FakeClock(NOW)
    app = await make_app(JourneysPlugin, DashboardPlugin, SessionsPlugin, UseragentPlugin, clock=clock)
    source = await app.source(ip_mode="off", timezone=timezone)
    return Office(app, source, await app.client(await app.person(source.tenant)), clock)


@pytest.fixture
async def office(make_app: MakeApp) -> Office:
    return await open_office(make_app)


def random_history(random: Random, count: int) -> tuple[list[Wire], list[Fact]]:
    """What a few people did in a browser and on WhatsApp, in no order, partly at equal times, some of it sent twice.

    Some browsers turn out to belong to the person of a phone number, by a user id that both were seen with; the last
    one is a bot.
    """
    browsers = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(1, 8)]
    phones = [f"25470000000{number}" for number in range(5)]
    owners = {browser: random.choice(phones) for browser in random.sample(browsers[:-1], 4)}
    instants = [NOW - timedelta(minutes=10 * random.randrange(6 * 24 * 18)) for _ in range(count // 2)]
    instants += [NOW - timedelta(minutes=random.randrange(90)) for _ in range(count // 6)]
    wires, facts = [], []
    for place in range(count):
        at = random.choice(instants)
        if random.random() < 0.6:
            wire, fact = _on_the_web(random, at, place, random.choice(browsers), owners, browsers[-1])
        else:
            wire, fact = _on_whatsapp(random, at, place, random.choice(phones))
        wires.append(wire)
        facts.append(fact)
    for place, (browser, phone) in enumerate(owners.items(), count):
        wires.append(
            identify(f"PIN{phone}", visitor=browser, at=NOW - timedelta(days=90), sequence=place,
                     context={"externalId": phone})
        )  # fmt: skip
    wires += random.sample(wires, 3)
    random.shuffle(wires)
    return wires, facts


def _on_the_web(
    random: Random, at: datetime, place: int, browser: str, owners: dict[str, str], bot: str
) -> tuple[Wire, Fact]:
    name = random.choice(("filing_started", "page_view", "return_filed", "page_view"))
    starts = name == "filing_started" and random.random() < 0.9
    ends = name == "return_filed" and random.random() < 0.7
    properties = dict(random.choice(NAMES))
    is_bot = browser == bot
    wire = track(
        name, properties, at=at, visitor=browser, sequence=place, journey_start=starts, journey_end=ends,
        context={"userAgent": BOT} if is_bot else {},
    )  # fmt: skip
    person = owners.get(browser, browser)
    return wire, Fact(at, place, name, person, "web", properties, is_bot=is_bot, starts=starts, ends=ends)


def _on_whatsapp(random: Random, at: datetime, place: int, phone: str) -> tuple[Wire, Fact]:
    name = random.choice(("message.received", "message.received", "agent.handoff", "chat.assigned", "bot.menu"))
    starts = name == "bot.menu" and random.random() < 0.4
    properties = dict(random.choice(NAMES)) if starts else {}
    if name == "agent.handoff":
        properties = {**random.choice(STEPS), **random.choice(AGENTS)}
    wire = track(
        name, properties, at=at, visitor=phone, user=phone, sequence=place, journey_start=starts,
        context={"channel": "whatsapp", "externalId": phone},
    )  # fmt: skip
    return wire, Fact(at, place, name, phone, "whatsapp", properties, starts=starts)


def in_order(facts: Sequence[Fact]) -> list[Fact]:
    """The facts that count, in the order in which they happened."""
    return sorted((fact for fact in facts if not fact.is_bot), key=lambda fact: (fact.at, fact.place))
