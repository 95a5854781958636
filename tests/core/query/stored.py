"""Histories that went through the pipeline into PostgreSQL, and what a naive reader makes of the tables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chatnation.core.app import App
from chatnation.core.identity import actions, queries
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.query.fields import SESSION_COLUMNS
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.plugins.sessions.clusters import IGNORED
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.plugins.useragent.plugin import UseragentPlugin
from chatnation.testing.apps import MakeApp
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import Wire, identify, page_view, track, whatsapp_message
from tests.core.processing.conftest import Intake
from tests.core.query.histories import PlainEvent

BEGINNING = datetime(2026, 3, 28, 20, tzinfo=UTC)
"""Just before the clocks change in Europe."""
RECEIVED = datetime(2026, 4, 2, tzinfo=UTC)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"  # fmt: skip  # noqa: E501
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
AGENTS = (CHROME, PHONE, BOT, None)

VISITORS = [f"0190a000-0000-7000-8000-00000000000{number}" for number in range(5)]
USERS = ["A001", "B002", "C003"]
PHONES = ["254711000000", "254722000000"]
NAMES = ("page_view", "filing_started", "filing_done", "message.delivered", "rating")
PROPERTIES: tuple[dict[str, Any], ...] = (
    {},
    {"x": 1},
    {"x": 2.5, "kind": "p"},
    {"x": "3"},
    {"x": " 4 "},
    {"x": "many", "kind": "q"},
    {"x": True},
    {"x": None, "kind": None},
    {"x": [1, 2]},
    {"x": {"y": 7, "z": {"w": "deep"}}},
    {"x": {"y": "seven"}, "x.y": "flat"},
    {"x.y": 8, "kind": "ü☃"},
    {"x": 10**30},
    {"x": -0.0},
)

FIELDS = (
    *("event_name", "event_type", "channel_type", "page_path", "referrer", "device_type", "os_name", "browser_name"),
    *("sdk_name", "user_id", "external_id", "project_id", "is_bot", "journey_start", "journey_end"),
    *("properties.x", "properties.x.y", "properties.x.z.w", "properties.kind", "properties.none"),
    *("person.county", "person.age", "person.none"),
    *("session.channel_type", "session.entry_page", "session.device_type", "session.is_bot", "session.converted"),
    *("session.duration_seconds", "session.event_count", "session.page_count", "session.utm_source", "session.user_id"),
)
SESSION_FIELDS = (
    *("channel_type", "entry_page", "exit_page", "device_type", "user_id", "project_id", "is_bot", "converted"),
    *("journey", "duration_seconds", "page_count", "event_count", "utm_source", "person.county", "person.age"),
)


@dataclass
class History:
    """A tenant whose events come in one random step after the other."""

    intake: Intake
    random: Random
    clock: FakeClock
    sent: list[Wire] = field(default_factory=list)
    instants: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        days = [BEGINNING.replace(hour=0) + timedelta(days=day) for day in range(3)]
        edges = [day + timedelta(minutes=minutes) for day in days for minutes in (0, 15, 30, 1200, 1425)]
        edges += [BEGINNING + timedelta(seconds=self.random.randrange(2 * 86_400)) for _ in range(10)]
        self.instants = [
            edge + timedelta(milliseconds=shift) for edge in edges for shift in (-1, 0, 0, 1, 60_000, 1_500_000)
        ]

    @property
    def app(self) -> App:
        return self.intake.app

    @property
    def tenant_id(self) -> int:
        return self.intake.tenant_id

    async def step(self) -> None:
        """A batch of events, or what an operator does to persons."""
        if self.random.random() < 0.75:
            await self.send()
        else:
            await self.split_or_join()

    async def send(self) -> None:
        """Store a few events: late, twice, at one time, in any order."""
        random = self.random
        events = [self._event() for _ in range(random.randrange(1, 12))]
        events += random.sample(self.sent, min(len(self.sent), random.choice((0, 0, 2))))
        self.sent += events
        received = RECEIVED + timedelta(seconds=len(self.sent))
        delivery = self.intake.delivery(*events, received=received, user_agent=random.choice(AGENTS))
        await self.intake.store(delivery)

    async def store_one(self, name: str, properties: dict[str, Any], at: datetime = BEGINNING) -> None:
        """Store one event."""
        await self.intake.store(self.intake.delivery(track(name, properties, at=at), received=RECEIVED))

    async def build_sometimes(self) -> None:
        """Bring the segments up to date, or not."""
        if self.random.random() < 0.6:
            await self.build()

    async def build(self) -> None:
        """What the job does; after a while, or with the days not over yet."""
        self.clock.set(self.random.choice((BEGINNING, BEGINNING + timedelta(hours=20), RECEIVED)))
        await SegmentBuilder.of(self.app).build(self.tenant_id)

    async def split_or_join(self) -> None:
        """Put apart two ids of one person, or make two persons one."""
        async with self.app.storage.tenant(self.tenant_id) as connection:
            leafs = list(await connection.scalars(text("SELECT leaf_id FROM identities ORDER BY leaf_id")))
            if len(leafs) < 2:
                return
            one, other = self.random.sample(leafs, 2)
            persons = await queries.resolve(connection, self.tenant_id, [one, other])
            if persons[one] == persons[other]:
                await actions.split(connection, self.tenant_id, one, other, by="a test")
            else:
                await actions.join(connection, self.tenant_id, one, other, at=RECEIVED, by="a test")

    def _event(self) -> Wire:
        random = self.random
        common: dict[str, Any] = {"at": random.choice(self.instants), "sequence": random.choice((None, None, 1, 2))}
        kind = random.random()
        if kind < 0.2:
            return whatsapp_message(random.choice(PHONES), "Hello", **common)
        visitor = random.choice(VISITORS)
        if kind < 0.35:
            traits = random.choice(
                ({}, {"county": "Nairobi"}, {"county": "Kisumu", "age": 40}, {"age": "41"}, {"county": None, "age": {}})
            )
            return identify(random.choice(USERS), traits, visitor=visitor, **common)
        common |= {
            "visitor": visitor,
            "user": random.choice((None, None, None, *USERS)),
            "session": random.choice((None, None, str(UUID(int=random.randrange(1, 3) << 64 | 1)))),
            "journey_start": random.choice((None, True, False)),
            "journey_end": random.choice((None, True)),
        }
        if kind < 0.6:
            campaign = random.choice(("", "?utm_source=mail", "?utm_source=chat"))
            context = {"library": {"name": random.choice(("js", "python")), "version": "1"}}
            return page_view(random.choice(("/", "/file")) + campaign, context=context, **common)
        return track(random.choice(NAMES), random.choice(PROPERTIES), **common)

    async def events(self) -> list[PlainRow]:
        """Every event as a naive reader sees it, in order."""
        async with self.app.storage.tenant(self.tenant_id) as connection:
            rows = (await connection.execute(text(f"SELECT * FROM events_expanded {_ORDER}"))).mappings().all()
            sessions = await self.sessions()
            traits = {
                person: await queries.traits(connection, self.tenant_id, person)
                for person in {row["person_id"] for row in rows} - {None}
            }
        return [PlainRow(dict(row), traits.get(row["person_id"], {}), _session_of(row, sessions)) for row in rows]

    async def sessions(self) -> list[PlainRow]:
        """Every session as a naive reader sees it, in order."""
        async with self.app.storage.tenant(self.tenant_id) as connection:
            rows = (await connection.execute(text(_SESSIONS))).mappings().all()
            traits = {
                person: await queries.traits(connection, self.tenant_id, person)
                for person in {row["person_id"] for row in rows}
            }
        found = []
        for row in rows:
            columns = dict(row) | {
                "timestamp": row["started_at"],
                "converted": row["converted_at"] is not None,
                "journey": row["journey_at"] is not None,
                "duration_seconds": (row["ended_at"] - row["started_at"]).total_seconds(),
            }
            found.append(PlainRow(columns, traits[row["person_id"]], None))
        return found


_ORDER = "ORDER BY timestamp, sequence NULLS LAST, message_id"
_SESSIONS = """
SELECT s.*, coalesce(m.person_id, s.person_id) AS person_id
  FROM sessions.sessions s LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
 ORDER BY s.started_at, s.session_id
"""


@dataclass
class PlainRow:
    """An event or a session, with the traits of its person, and an event with its session."""

    columns: dict[str, Any]
    traits: Mapping[str, Any]
    session: PlainRow | None

    @property
    def time(self) -> datetime:
        time: datetime = self.columns["timestamp"]
        return time

    @property
    def name(self) -> str:
        return str(self.columns["event_name"])

    @property
    def plain(self) -> PlainEvent:
        """The same as other oracles know it."""
        columns, session = self.columns, self.session
        texts = {name: str(value) for name, value in columns.items() if value is not None}
        return PlainEvent(
            time=self.time,
            name=self.name,
            person=self.actor("person"),
            session=self.actor("session"),
            sequence=columns["sequence"],
            message_id=columns["message_id"].int,
            columns=texts,
            properties=columns["properties"],
            traits=self.traits,
            session_columns={}
            if session is None
            else {name: text for name in SESSION_COLUMNS if (text := session.text(name)) is not None},
            is_bot=columns["is_bot"],
            journey_start=columns["journey_start"],
            journey_end=columns["journey_end"],
        )

    @property
    def plain_session(self) -> PlainEvent:
        """A session as other oracles know it: an event at its beginning."""
        columns = {name: text for name in SESSION_COLUMNS if (text := self.text(name)) is not None}
        return PlainEvent(
            time=self.time,
            name="",
            person=self.actor("person"),
            session=self.actor("session"),
            message_id=self.columns["session_id"].int,
            columns=columns,
            traits=self.traits,
            is_bot=self.columns["is_bot"],
        )

    def raw(self, name: str) -> Any:
        """The value of a field, before it is a text or a number."""
        scope, dot, rest = name.partition(".")
        if not dot:
            return self.columns[name]
        if scope == "person":
            return self.traits.get(rest)
        if scope == "session":
            return None if self.session is None else self.session.raw(rest)
        found: Any = self.columns["properties"]
        if rest in found:
            return found[rest]
        for part in rest.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def text(self, name: str) -> str | None:
        """A field as text."""
        raw = self.raw(name)
        if raw is None or isinstance(raw, dict | list):
            return None
        return raw if isinstance(raw, str) else json.dumps(raw)

    def number(self, name: str) -> float | None:
        """A field as a number; NaN where it has a value that is none."""
        if self.text(name) is None:
            return None
        raw = self.raw(name)
        try:
            number = math.nan if isinstance(raw, bool) else float(raw)
        except ValueError:
            return math.nan
        return number if math.isfinite(number) else math.nan

    def actor(self, actor: str) -> str | None:
        """Who did it."""
        if actor == "person":
            person = self.columns["person_id"]
            return None if person is None else str(person)
        if actor == "session":
            row = self if "started_at" in self.columns else self.session
            return None if row is None else str(row.columns["session_id"])
        return self.text(actor)


def _session_of(event: Mapping[str, Any], sessions: Sequence[PlainRow]) -> PlainRow | None:
    if event["leaf_id"] is None or event["event_name"] in IGNORED:
        return None
    if event["channel_type"] == "whatsapp":
        visitor, hint = event["leaf_id"], None
    else:
        visitor, hint = event["anonymous_id"] or event["leaf_id"], event["session_id"]
    for session in sessions:
        columns = session.columns
        if (
            columns["visitor"] == visitor
            and columns["hint"] == hint
            and columns["project_id"] == event["project_id"]
            and columns["channel_type"] == event["channel_type"]
            and columns["started_at"] <= event["timestamp"] <= columns["ended_at"]
        ):
            return session
    return None


async def start_history(make_app: MakeApp, random: Random, **settings: Any) -> History:
    """A history of a tenant of an app with sessions and devices."""
    clock = FakeClock(RECEIVED)
    running = await make_app(SessionsPlugin, UseragentPlugin, settings=settings, clock=clock)
    source = await running.source()
    intake = Intake(running, source, Pipeline.of(running.app), DeadLetters(running.app))
    return History(intake, random, clock)
