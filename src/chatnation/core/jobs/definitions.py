"""What plugins register to have work done later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of work. `name` is `<plugin>.<verb_noun>`; `run(payload)` gets the JSON object that was enqueued.

    A failed job is retried up to `attempts` times with growing pauses, then kept with its error.
    """

    name: str
    run: Callable[[dict[str, Any]], Awaitable[None]]
    attempts: int = 5


@dataclass(frozen=True, slots=True)
class Schedule:
    """Enqueues the job `job` whenever the cron line matches, in UTC; once for all processes."""

    job: str
    cron: str


@dataclass(frozen=True, slots=True)
class Listener:
    """`handle(event)` runs after the commit that published a `DomainEvent` of type `event`, or of a subclass of it."""

    event: type[Any]
    handle: Callable[[Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the rows of a table are kept, by the time in `column`; older ones are deleted every night.

    `table` is the name with its schema, `sessions.sessions`. `days` is a number, `"events"` for as long as events are
    kept, or None for ever. A tenant's settings may say otherwise: `{"retention_days": {"sessions.sessions": 90}}`.
    """

    table: str
    column: str
    days: int | Literal["events"] | None
