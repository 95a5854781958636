"""What the collector and the processor ask of a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatnation.core.ingestion.event import Delivery


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream entry that a consumer holds. `attempts` counts how often it was handed out, this time included."""

    id: str
    partition: int
    deliveries: tuple[Delivery, ...]
    attempts: int = 1

    @property
    def events(self) -> int:
        """Number of events in the entry."""
        return sum(delivery.count for delivery in self.deliveries)


class EventQueue(Protocol):
    """A durable log of deliveries: at least once, in order within a partition.

    `publish` returns only after the log has the deliveries; it raises `QueueUnavailable` when the log is away or
    full; it may begin before it is awaited. `acknowledge` also deletes. All methods may raise `QueueUnavailable`.
    """

    async def publish(self, partition: int, deliveries: Sequence[Delivery]) -> None: ...

    async def read(self, partition: int, *, max_events: int, wait_ms: int) -> list[Entry]: ...

    async def claim(self, partition: int, *, idle_ms: int, max_events: int) -> list[Entry]: ...

    async def acknowledge(self, entries: Sequence[Entry]) -> None: ...

    async def depth(self) -> Mapping[int, int]:
        """Events that wait, by partition."""
        ...

    async def close(self) -> None: ...
