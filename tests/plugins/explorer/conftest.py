"""A tenant with a random history that came through the collector, and a plain recount of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp, Person, RunningApp, Source
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import Wire, identify, page_view, track, whatsapp_message

NOW = datetime(2025, 6, 15, 9, 30, tzinfo=UTC)
HTML = {"Accept": "text/html"}
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PHONE_BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1"
)
NAMES = ("button_click", "filing_started", "return_filed", "app_error")


@dataclass(frozen=True)
class Sent:
    """An event that was sent: who did it, when, and what the recount needs of it."""

    who: str
    at: datetime
    name: str
    obligation: str | None
    amount: object
    path: str | None
    bot: bool
    channel: str


@dataclass
class Desk:
    """A running app, a tenant in a time zone, a client of its admin, and what was sent."""

    app: RunningApp
    source: Source
    admin: Person
    client: httpx.AsyncClient
    zone: ZoneInfo
    sent: list[Sent] = field(default_factory=list)

    @property
    def tenant_id(self) -> int:
        return self.source.tenant.id

    async def get(self, path: str, **parameters: Any) -> Any:
        """The JSON that the API answers."""
        answer = await self.client.get(path, params=parameters or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def page(self, path: str, **parameters: Any) -> str:
        """The HTML of a page."""
        answer = await self.client.get(path, params=parameters or None, headers=HTML)
        assert answer.status_code == 200, answer.text[:2_000]
        return answer.text

    async def pages(self, path: str, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """Every row of a list that pages."""
        cursor: str | None = None
        while True:
            answer = await self.get(path, **parameters, **({"after": cursor} if cursor else {}))
            for item in answer["items"]:
                yield item
            cursor = answer["next_cursor"]
            if cursor is None:
                return

    async def as_role(self, role: RoleName) -> httpx.AsyncClient:
        return await self.app.client(await self.app.person(self.source.tenant, role))

    def counted(self, **wanted: object) -> list[Sent]:
        """What was sent by people, and is as wanted."""
        return [
            each
            for each in self.sent
            if not each.bot and all(getattr(each, name) == value for name, value in wanted.items())
        ]


async def open_desk(make_app: MakeApp, timezone: str = "Africa/Nairobi", now: datetime = NOW) -> Desk:
    """A desk without any event yet."""
    app = await make_app(clock=FakeClock(now))
    source = await app.source("Tax app", ip_mode="off", timezone=timezone)
    admin = await app.person(source.tenant)
    return Desk(app, source, admin, await app.client(admin), ZoneInfo(timezone))


async def send_history(desk: Desk, seed: int, people: int = 12, days: int = 9) -> None:
    """Visits and chats of some people, two browsers to some of them, and a bot; sent in any order, partly twice."""
    rng = Random(seed)
    now = desk.app.app.clock.now()
    wires: list[Wire] = []
    for number in range(people):
        who, phone = f"P{number:03}", f"2547000{number:05}"
        browsers = [_uuid(rng) for _ in range(rng.choice((1, 1, 2)))]
        for visitor in browsers:
            _visit(desk, rng, wires, who, visitor, now - timedelta(days=rng.uniform(0.1, days)), bot=number == 0)
        if number % 3 == 1:
            at = now - timedelta(days=rng.uniform(0.1, days))
            for text in ("Habari", "=1+1"):
                at += timedelta(seconds=rng.randrange(5, 90))
                wires.append(whatsapp_message(phone, text, at=at))
                desk.sent.append(Sent(phone, at, "message.received", None, None, None, False, "whatsapp"))
    rng.shuffle(wires)
    # So close together that the collector does not take times for wrong clocks.
    for start in range(0, len(wires), 50):
        await desk.app.ingest_and_drain(wires[start : start + 50], desk.source)
    await desk.app.ingest_and_drain(wires[:20], desk.source)


def _visit(desk: Desk, rng: Random, wires: list[Wire], who: str, visitor: str, at: datetime, *, bot: bool) -> None:
    context = {"userAgent": BOT if bot else PHONE_BROWSER}
    web: dict[str, Any] = {"visitor": visitor, "session": _uuid(rng)}
    path = rng.choice(("/", "/mri", "/tot"))
    url = f"https://example.org{path}" + ("?utm_source=sms" if rng.random() < 0.5 else "")
    page = page_view(path, at=at, **web, context={**context, "page": {"path": path, "url": url}})
    wires.append(page)
    desk.sent.append(Sent(who, at, "page_view", None, None, path, bot, "web"))
    at += timedelta(seconds=2)
    wires.append(identify(who, {"name": f"Person {who}", "email": f"{who}@example.org"}, at=at, **web, context=context))
    desk.sent.append(Sent(who, at, "identify", None, None, None, bot, "web"))
    for _ in range(rng.randrange(1, 7)):
        at += timedelta(seconds=rng.randrange(1, 500))
        name, obligation = rng.choice(NAMES), rng.choice(("mri", "tot", None))
        amount = rng.choice((rng.randrange(1, 5_000), f"{rng.randrange(100)}.5", "much", None))
        given = {"obligation": obligation, "amount": amount}
        properties = {key: value for key, value in given.items() if value is not None}
        wires.append(track(name, properties, at=at, **web, context=context))
        desk.sent.append(Sent(who, at, name, obligation, amount, None, bot, "web"))


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
