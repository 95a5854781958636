"""What the pipeline tells others after a commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatnation.core.ingestion.event import Event
from chatnation.core.signals import DomainEvent

LIVE_KIND = "events.stored"
LATEST = 10


@dataclass(frozen=True, slots=True)
class EventsStored(DomainEvent):
    """New events of a tenant were stored: how many, of which names, and between which times."""

    count: int
    names: frozenset[str]
    earliest: datetime
    latest: datetime


def events_stored(tenant_id: int, events: Sequence[Event]) -> EventsStored:
    """The notice for `events`, of which there is at least one."""
    times = [event.timestamp for event in events]
    return EventsStored(tenant_id, len(events), frozenset(event.event_name for event in events), min(times), max(times))


def live_summary(events: Sequence[Event]) -> dict[str, Any]:
    """What open pages hear of new events: their number, and the last few of them in brief."""
    return {
        "count": len(events),
        "latest": [
            {
                "event_name": event.event_name,
                "timestamp": event.timestamp,
                "channel": event.channel_type,
                "project_id": event.project_id,
                "person_id": event.person_id,
                "page_path": event.page_path,
                "country_code": event.country_code,
            }
            for event in events[-LATEST:]
        ],
    }
