"""Made-up histories for tests of evaluators: plain events, a loader of frames of them, and nothing of the engine.

An oracle works on the same plain events, slowly and obviously, and shares no code with what it checks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

import numpy as np

from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Actors, ArrayFrame, Coded, Need, Numbers
from chatnation.core.query.instants import micros


@dataclass(frozen=True)
class PlainEvent:
    """An event as an oracle sees it. `person` is the one that all evidence leads to; None: nobody is known."""

    time: datetime
    name: str
    person: str | None = None
    session: str | None = None
    sequence: int | None = None
    message_id: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    traits: Mapping[str, Any] = field(default_factory=dict)
    session_columns: Mapping[str, str] = field(default_factory=dict)
    is_bot: bool = False
    journey_start: bool = False
    journey_end: bool = False

    @property
    def place(self) -> tuple[datetime, float, int]:
        """Where it stands in the order of events."""
        return self.time, math.inf if self.sequence is None else self.sequence, self.message_id

    def value(self, name: str) -> str | None:
        """The text of a field, or None."""
        scope, dot, rest = name.partition(".")
        if not dot:
            flags = {"is_bot": self.is_bot, "journey_start": self.journey_start, "journey_end": self.journey_end}
            if name in flags:
                return json.dumps(flags[name])
            return self.name if name == "event_name" else self.columns.get(name)
        if scope == "session":
            return self.session_columns.get(rest)
        found: Any = self.traits if scope == "person" else self.properties
        if rest in found:
            return text_of(found[rest])
        for part in rest.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return text_of(found)

    def number(self, name: str) -> float | None:
        """The number of a field, or None where it has no value or one that is no number."""
        scope, _, rest = name.partition(".")
        raw: Any = self.properties.get(rest) if scope == "properties" else self.value(name)
        if isinstance(raw, bool) or raw is None:
            return None
        try:
            number = float(raw)
        except (TypeError, ValueError):
            return None
        return number if math.isfinite(number) else None


def text_of(value: Any) -> str | None:
    """A JSON scalar as text; None for null, objects and lists."""
    if value is None or isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else json.dumps(value)


class Names:
    """Actors of a test: their labels."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return len(self.labels)

    def label(self, code: int) -> str:
        return self.labels[code]

    def person(self, code: int) -> UUID | None:
        try:
            return UUID(self.labels[code])
        except ValueError:
            return None


class PlainLoader:
    """Frames of plain events, for evaluators in tests."""

    def __init__(self, events: Iterable[PlainEvent]) -> None:
        self.events = sorted(events, key=lambda event: event.place)

    async def load(
        self, start: datetime | None, end: datetime | None, need: Need, events: Collection[str] = ()
    ) -> ArrayFrame:
        found = [
            event
            for event in self.events
            if (start is None or event.time >= start)
            and (end is None or event.time < end)
            and (not events or event.name in events)
        ]
        rows = _Rows(found)
        return ArrayFrame(
            rows.time,
            {name: rows.coded(lambda event, name=name: event.value(str(name))) for name in need.columns},
            {name: rows.numbers(name) for name in need.numbers},
            {actor: rows.actors(actor) for actor in need.actors},
        )


@dataclass(frozen=True)
class _Rows:
    events: Sequence[PlainEvent]

    @cached_property
    def time(self) -> Any:
        return np.array([micros(event.time) for event in self.events], np.int64)

    def coded(self, value: Callable[[PlainEvent], str | None]) -> Coded:
        values: dict[str, int] = {}
        codes = [
            -1 if (text := value(event)) is None else values.setdefault(text, len(values)) for event in self.events
        ]
        return Coded(np.array(codes, np.int32), list(values))

    def numbers(self, name: Field) -> Numbers:
        found = [event.number(str(name)) for event in self.events]
        has = [event.value(str(name)) is not None for event in self.events]
        return Numbers(
            np.array([math.nan if number is None else number for number in found], np.float64),
            np.array([there and number is None for there, number in zip(has, found, strict=True)], np.bool_),
        )

    def actors(self, actor: str) -> Actors:
        kinds: dict[str, Callable[[PlainEvent], str | None]] = {
            "person": lambda event: event.person,
            "session": lambda event: event.session,
        }
        column = self.coded(kinds.get(actor, lambda event: event.value(actor)))
        return Actors(column.codes, Names(column.values))


BEGINNING = datetime(2025, 3, 20, tzinfo=UTC)


def random_history(
    random: Random,
    *,
    events: int = 60,
    persons: int = 4,
    names: Sequence[str] = ("a", "b", "c", "d"),
    days: float = 20,
    beginning: datetime = BEGINNING,
) -> list[PlainEvent]:
    """Events in no order, many of them at equal times, around a change of the clocks in Europe."""
    instants = [beginning + timedelta(seconds=random.randrange(int(days * 86_400))) for _ in range(max(3, events // 2))]
    found = []
    for number in range(events):
        person = random.choice([None, *(str(UUID(int=index + 1)) for index in range(persons))])
        time = random.choice(instants) + timedelta(milliseconds=random.choice((0, 0, 0, 1, 500)))
        found.append(
            PlainEvent(
                time=time,
                name=random.choice(names),
                person=person,
                session=None if person is None else f"{person}/{time.date()}",
                sequence=random.choice((None, 1, 2, 3)),
                message_id=random.getrandbits(64) << 16 | number,
                columns={} if random.random() < 0.2 else {"country_code": random.choice(("KE", "UG", "DE"))},
                properties=random.choice(
                    ({}, {"x": random.randrange(5)}, {"x": "3"}, {"x": "many"}, {"x": 2.5, "kind": "p"}, {"kind": "q"})
                ),
                is_bot=random.random() < 0.1,
                journey_start=random.random() < 0.3,
                journey_end=random.random() < 0.3,
            )
        )
    return found
