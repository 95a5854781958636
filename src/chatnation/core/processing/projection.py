"""A projection writes a plugin's own tables from events that were stored, in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ingestion.event import EventBatch


class ProjectionFunction(Protocol):
    """Writes what follows from `batch`, whose events are all new, through `connection`."""

    async def __call__(self, connection: AsyncConnection, batch: EventBatch) -> None: ...


@dataclass(frozen=True, slots=True)
class Projection:
    """A named function that sees each stored event exactly once.

    When: inside the storing transaction, in a savepoint of its own; several workers may run it at once.
    Failure: the savepoint rolls back, the batch is kept in `projection_failures` and retried; other projections and
    the events commit.
    """

    name: str
    apply: ProjectionFunction
