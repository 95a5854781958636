"""A stage changes a batch before it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from chatnation.core.ingestion.event import EventBatch


class StageFunction(Protocol):
    """Changes the events of a batch in place."""

    async def __call__(self, batch: EventBatch) -> None: ...


@dataclass(frozen=True, slots=True)
class Stage:
    """A named function that every batch passes before it is stored.

    When: after decoding, before persons are resolved and events inserted; once per batch.
    Failure: the stage is skipped for that batch and counted; after five failures in a row it is left out for a
    while. With `privacy=True` a failure refuses the batch instead, because storing it raw would break a promise.
    """

    name: str
    apply: StageFunction
    privacy: bool = False
