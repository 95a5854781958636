"""An instance whose events come in every order, and what its columnar copy says of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from chatnation.core.app import App
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.query.segments.builder import SegmentBuilder
from chatnation.core.query.segments.chunk import Chunk
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.segments.spans import Span, clean, day_of, runs
from chatnation.core.query.segments.stored import Segments
from chatnation.core.query.segments.verifying import Difference, verify
from chatnation.core.storage.storage import raw
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import Wire, page_view, track, whatsapp_message

NOW = datetime(2025, 6, 15, 9, 37, tzinfo=UTC)
EVER = Span(0, 4_000_000_000_000_000)
VISITORS = [str(UUID(int=number)) for number in range(1, 30)]


@dataclass(frozen=True)
class World:
    """A tenant, and a clock that stands still."""

    running: RunningApp
    source: Source
    clock: FakeClock
    pipeline: Pipeline

    @property
    def app(self) -> App:
        return self.running.app

    @property
    def tenant_id(self) -> int:
        return self.source.tenant.id

    @property
    def builder(self) -> SegmentBuilder:
        return SegmentBuilder.of(self.app)

    @property
    def sources(self) -> dict[str, FactSource]:
        return {source.name: source for source in self.builder.sources}

    async def store(self, events: Iterable[Wire], **delivery: Any) -> None:
        """Store events as one batch, received now."""
        await self.pipeline.run(self.tenant_id, [self.delivery(events, **delivery)])

    def delivery(self, events: Iterable[Wire], *, sent_at: str | None = None) -> Delivery:
        batch = list(events)
        return Delivery(
            id=uuid7().bytes,
            tenant_id=self.tenant_id,
            project_id=self.source.project.id,
            received_ms=int(self.clock.now().timestamp() * 1000),
            count=len(batch),
            body=msgspec.json.encode({"batch": batch, "sent_at": sent_at}),
        )

    async def build(self) -> None:
        await self.builder.build(self.tenant_id)

    async def spans(self, source: str = "events") -> list[Span]:
        """The spans of the segments, in order."""
        async with self.app.storage.snapshot(self.tenant_id) as connection:
            segments = Segments(await raw(connection), self.tenant_id, self.sources[source])
            return [segment.span for segment in await segments.find(EVER)]

    async def marks(self, source: str = "events") -> int:
        return int(
            await self.scalar(
                "SELECT count(*) FROM segment_markers WHERE tenant_id = :tenant AND source = :source", source=source
            )
        )

    async def verify(self) -> list[Difference]:
        """What the copy says and the tables do not, and the other way around."""
        return [each async for each in verify(self.app.storage, self.tenant_id, list(self.sources.values()))]

    async def scalar(self, query: str, **parameters: Any) -> Any:
        async with self.app.storage.system("a look in a test") as connection:
            return await connection.scalar(text(query), {"tenant": self.tenant_id, **parameters})

    async def execute(self, query: str, **parameters: Any) -> None:
        async with self.app.storage.system("a change in a test") as connection:
            await connection.execute(text(query), {"tenant": self.tenant_id, **parameters})

    async def chunk(self, source: str = "events") -> Chunk:
        """All rows as the tables have them."""
        async with self.app.storage.snapshot(self.tenant_id) as connection:
            return await Segments(await raw(connection), self.tenant_id, self.sources[source]).read_rows(EVER)

    async def copy(self, source: str = "events") -> Chunk:
        """All rows as the copy has them: segments, and rows of marked quarters."""
        async with self.app.storage.snapshot(self.tenant_id) as connection:
            segments = Segments(await raw(connection), self.tenant_id, self.sources[source])
            return Chunk.join([piece async for piece in _pieces(segments)])


async def _pieces(segments: Segments) -> AsyncIterator[Chunk]:
    there, marked = await segments.find(EVER), await segments.marked(EVER)
    stretches = [(stretch, segment) for segment in there for stretch in clean(segment.span, marked)]
    fresh = [(run, None) for run in runs(marked)]
    for stretch, segment in sorted([*stretches, *fresh], key=lambda piece: piece[0]):
        if segment is None:
            yield await segments.read_rows(stretch)
        else:
            yield (await segments.read(segment)).cut(stretch.start, stretch.end)


async def open_world(make_app: MakeApp, now: datetime = NOW) -> World:
    clock = FakeClock(now)
    running = await make_app(clock=clock)
    return World(running, await running.source(), clock, Pipeline.of(running.app))


def random_event(random: Random, now: datetime = NOW, *, days: float = 4) -> Wire:
    """An event of the last days; many at few moments, so that some are at the same one or at a bound."""
    at = now - timedelta(seconds=random.choice((random.random() * days * 86_400, 900 * random.randrange(1, 400))))
    visitor = random.choice(VISITORS)
    kind = random.random()
    if kind < 0.3:
        return page_view(random.choice(("/", "/file", "/pay")), at=at, visitor=visitor, session=random.choice(VISITORS))
    if kind < 0.5:
        return whatsapp_message(random.choice(("254700000001", "254700000002")), random.choice("ab"), at=at)
    return track(
        random.choice(("started", "paid", "message.read")), random_properties(random), at=at, visitor=visitor,
        user=random.choice((None, "A001", "A002")), sequence=random.choice((None, 1, 2)),
    )  # fmt: skip


def random_properties(random: Random) -> dict[str, Any]:
    """Properties of every kind, the same name with different ones."""
    values: list[Any] = [
        None, True, False, 0, 1, -3, 2.5, 1e300, 2**53 + 1, "", "1", " 2.5", "true", "é€\u2028", [1], {},
        {"b": 1}, {"b": {"c": "deep"}}, {"b": None, "c": [2]}, "x" * 300,
    ]  # fmt: skip
    keys = random.sample(("a", "a.b", "amount", "ok", "template", "b c", "a.b.c"), random.randrange(5))
    return {key: random.choice(values) for key in keys}


def whole_day(moment: datetime) -> Span:
    return day_of(int(moment.timestamp()) * 1_000_000)
