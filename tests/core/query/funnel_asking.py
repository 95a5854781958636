"""Short forms for tests of funnels: events at seconds after noon, and funnels over that day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chatnation.core.query.answers import FunnelAnswer, FunnelWalkAnswer
from chatnation.core.query.evaluate.funnel import answer
from chatnation.core.query.evaluate.funnel_walk import answer as walk_answer
from chatnation.core.query.model import Funnel, FunnelWalk, Range, Selection, Step
from tests.core.query.histories import PlainEvent, PlainLoader

NOON = datetime(2025, 6, 10, 12, tzinfo=UTC)
DAY = Range(datetime(2025, 6, 10, tzinfo=UTC), datetime(2025, 6, 11, tzinfo=UTC))
LATER = NOON + timedelta(days=100)
ANN, BOB = str(UUID(int=1)), str(UUID(int=2))


def event(name: str, second: float = 0, person: str | None = ANN, **more: Any) -> PlainEvent:
    """An event at noon and some seconds."""
    return PlainEvent(NOON + timedelta(seconds=second), name, person, **more)


def history(names: str, person: str = ANN, every: float = 1) -> list[PlainEvent]:
    """An event named by each letter, `every` seconds apart."""
    return [event(name, place * every, person, message_id=place) for place, name in enumerate(names)]


def steps(names: Iterable[str], **more: Any) -> tuple[Step, ...]:
    """A step for each name; one with a question mark behind it is optional."""
    return tuple(Step(name, Selection((name.strip("?"),)), optional=name.endswith("?"), **more) for name in names)


def funnel(names: Iterable[str] = "abc", **more: Any) -> Funnel:
    """A funnel over the day of `NOON`."""
    return Funnel(**{"range": DAY, "steps": steps(names), **more})


async def ask(events: Iterable[PlainEvent], query: Funnel, now: datetime = LATER) -> FunnelAnswer:
    return await answer(query, PlainLoader(events), now)


async def reached(events: Iterable[PlainEvent], query: Funnel, now: datetime = LATER) -> list[int]:
    """How many came to each step."""
    return [step.reached for step in (await ask(events, query, now)).steps]


async def walk(events: Iterable[PlainEvent], query: Funnel, now: datetime = LATER) -> FunnelWalkAnswer:
    """How Ann went through."""
    return await walk_answer(FunnelWalk(funnel=query, person_id=UUID(ANN)), PlainLoader(events), now)
