"""Events: what happens to them on the hot path, compiled into tuples at composition, and who answers about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chatnation.core.plugin.base import hookspec
from chatnation.core.processing.projection import Projection
from chatnation.core.processing.stage import Stage
from chatnation.core.query.metrics import Metric
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.store import EventStoreDriver
from chatnation.core.queue.base import EventQueue


@dataclass(frozen=True, slots=True)
class EventType:
    """A known event: its name, what it says, and the properties that analytics read, each with a word on it."""

    name: str
    description: str
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class QueueDriver:
    """A log: `create(settings, consumer)` makes an `EventQueue` where the address starts with `scheme`.

    `consumer` names this machine among the readers.
    """

    scheme: str
    create: Callable[..., EventQueue]


@hookspec
def register_event_types() -> Iterable[EventType]:  # type: ignore[empty-body]
    """Describe the events that the plugin sends or reads, for the catalogue.

    When: once, at composition.
    Return: a list of `EventType`.
    Failure: the plugin is failed.
    """


@hookspec
def register_stages() -> Iterable[Stage]:  # type: ignore[empty-body]
    """Change batches before they are stored.

    When: asked once, at composition; the stages run per batch in load order.
    Return: a list of `Stage`.
    Failure: at composition the plugin is failed; at run time see `Stage`.
    """


@hookspec
def register_projections() -> Iterable[Projection]:  # type: ignore[empty-body]
    """Write the plugin's tables from stored events.

    When: asked once, at composition; the projections run per batch in load order, in the storing transaction.
    Return: a list of `Projection`.
    Failure: at composition the plugin is failed; at run time see `Projection`.
    """


@hookspec
def register_queues() -> Iterable[QueueDriver]:  # type: ignore[empty-body]
    """Plug in another log between collector and processor.

    When: once, at composition.
    Return: a list of `QueueDriver`; the one whose scheme starts `CHATNATION_QUEUE_URL` is used.
    Failure: the plugin is failed.
    """


@hookspec
def register_event_stores() -> Iterable[EventStoreDriver]:  # type: ignore[empty-body]
    """Answer questions of events from somewhere else than PostgreSQL.

    When: once, at composition; the store itself is made when the first question comes.
    Return: a list of `EventStoreDriver`; the one that `CHATNATION_EVENT_STORE` names is used.
    Failure: the plugin is failed.
    """


@hookspec
def register_fact_sources() -> Iterable[FactSource]:  # type: ignore[empty-body]
    """Offer rows of the plugin's own to questions.

    When: once, at composition.
    Return: a list of `FactSource`. Questions know those called `events`, which are the core's, and `sessions`.
    Failure: the plugin is failed; two plugins that offer one source conflict, and the later one is failed.
    """


@hookspec
def register_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Define the numbers that the plugin's pages show, for the page of definitions and the reference.

    When: once, at composition.
    Return: a list of `Metric`; their names start with the plugin's and a dot.
    Failure: the plugin is failed.
    """
