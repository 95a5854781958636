"""Runs projections over new events, each in a savepoint; keeps what failed, to be tried again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ingestion.event import Event, EventBatch
from chatnation.core.metrics import Metrics
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.resources import Registered
from chatnation.core.processing.event_rows import extras
from chatnation.core.processing.failures import ends_transaction
from chatnation.core.processing.projection import Projection
from chatnation.core.storage.storage import raw

if TYPE_CHECKING:
    import asyncpg

_KEEP = """
INSERT INTO projection_failures (tenant_id, plugin, projection, error, event_keys, next_attempt_at)
VALUES ($1, $2, $3, $4, $5, now() + interval '10 seconds')
"""
ERROR_LENGTH = 2_000


class Projections:
    """The registered projections, compiled into a tuple for each set of plugins that is on."""

    def __init__(self, projections: Iterable[Registered[Projection]], boundary: Boundary, metrics: Metrics) -> None:
        self._all = tuple(projections)
        self._compiled: dict[frozenset[str], tuple[Registered[Projection], ...]] = {}
        self._boundary = boundary
        self._metrics = metrics

    def find(self, plugin: str, name: str) -> Registered[Projection] | None:
        """The projection `name` of `plugin`, if that is loaded."""
        return next((entry for entry in self._all if (entry.plugin, entry.item.name) == (plugin, name)), None)

    async def apply(self, connection: AsyncConnection, batch: EventBatch, enabled: frozenset[str]) -> None:
        """Show `batch`, whose events are all new, to the projections of the `enabled` plugins, in load order."""
        entries = self._compiled.get(enabled)
        if entries is None:
            entries = self._compiled[enabled] = tuple(entry for entry in self._all if entry.plugin in enabled)
        for entry in entries:
            error = await self.run(connection, entry, batch)
            if error is not None:
                await _keep(await raw(connection), entry, batch, error)

    async def run(
        self, connection: AsyncConnection, entry: Registered[Projection], batch: EventBatch
    ) -> Exception | None:
        """Run one projection in a savepoint; gives its error, after the savepoint was rolled back.

        An error that ends the whole transaction, such as a lost connection or a deadlock, is raised.
        """
        try:
            with self._metrics.step_seconds.labels(entry.plugin, entry.item.name).time():
                async with connection.begin_nested():
                    await entry.item.apply(connection, batch)
        except Exception as error:
            if ends_transaction(error):
                raise
            self._boundary.note(entry.plugin, f"projection:{entry.item.name}", error)
            return error
        return None


async def _keep(
    connection: asyncpg.Connection[Any], entry: Registered[Projection], batch: EventBatch, error: Exception
) -> None:
    await connection.execute(
        _KEEP,
        batch.tenant_id,
        entry.plugin,
        entry.item.name,
        describe(error),
        msgspec.json.encode([key_of(event) for event in batch]),
    )


def describe(error: BaseException) -> str:
    """An error in a line or two for whoever looks at the failure."""
    return f"{type(error).__name__}: {error}".replace("\0", "")[:ERROR_LENGTH]


def key_of(event: Event) -> list[Any]:
    """The key of a stored event, JSON-ready, with what no column keeps of it as a third item."""
    kept = extras(event)
    return [event.timestamp, event.message_id, *([kept] if kept else [])]


class KeptKey(msgspec.Struct, array_like=True):
    """What `key_of` made, read back."""

    timestamp: datetime
    message_id: UUID
    extras: Mapping[str, Any] | None = None


def kept_keys(value: Sequence[object]) -> list[KeptKey]:
    """The keys in a row of `projection_failures`."""
    return msgspec.convert(value, list[KeptKey])
