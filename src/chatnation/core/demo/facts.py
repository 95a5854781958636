"""What is sent: events in the collector's own form, and the client each comes from."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

WireEvent = dict[str, Any]
"""One element of the `batch` of `POST /v1/capture`, in snake case."""


@dataclass(frozen=True, slots=True)
class Client:
    """The browser that sends: its address and what it says of itself."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One event at its instant. `client` is None for what a server sends, such as the WhatsApp bot's."""

    at: datetime
    event: WireEvent
    client: Client | None


class Recorder:
    """Writes facts down while a story walks through time. Every story has its own `rng`."""

    def __init__(self, rng: random.Random, start: datetime) -> None:
        self.rng = rng
        self.now = start
        self.facts: list[Fact] = []

    def wait(self, low: float, high: float) -> None:
        """Let between `low` and `high` seconds pass; short waits are likelier than long ones."""
        self.now += timedelta(seconds=round(self.rng.triangular(low, high, low + (high - low) / 4), 3))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def record(
        self,
        name: str,
        *,
        context: Mapping[str, Any],
        client: Client | None,
        kind: str = "track",
        properties: Mapping[str, Any] | None = None,
        anonymous_id: str | None = None,
        session_id: str | None = None,
        sequence: int | None = None,
        user_id: str | None = None,
        journey_start: bool = False,
        journey_end: bool = False,
    ) -> None:
        """Add an event at the present instant."""
        message_id = ordered_uuid(self.rng, self.now)
        event: WireEvent = {
            "event_id": message_id,
            "message_id": message_id,
            "event_name": name,
            "event_type": kind,
            "timestamp": iso(self.now),
            "anonymous_id": anonymous_id,
            "session_id": session_id,
            "context": dict(context),
            "properties": dict(properties or {}),
        }
        if sequence is not None:
            event["sequence"] = sequence
        if user_id:
            event["user_id"] = user_id
        if journey_start:
            event["journey_start"] = True
        if journey_end:
            event["journey_end"] = True
        self.facts.append(Fact(self.now, event, client))


def ordered_uuid(rng: random.Random, at: datetime) -> str:
    """A version 7 UUID of that instant, its random part out of `rng`."""
    value = int(at.timestamp() * 1000) << 80 | rng.getrandbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def iso(at: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as browsers write it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
