"""What the plugins registered, each item with its plugin's name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

from chatnation.core.archivables import Archivable
from chatnation.core.errors import PluginError
from chatnation.core.hookspecs import auth, composition, data, events, web, work
from chatnation.core.hookspecs.auth import LoginProvider, SecondFactor
from chatnation.core.hookspecs.events import EventType, QueueDriver
from chatnation.core.jobs.definitions import Job, Listener, Retention, Schedule
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.hooks import Hooks
from chatnation.core.plugin.inventory import Inventory
from chatnation.core.plugin.services import Service
from chatnation.core.processing.projection import Projection
from chatnation.core.processing.stage import Stage
from chatnation.core.query.metrics import Metric
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.store import EventStoreDriver
from chatnation.core.sealed_columns import SealedColumn
from chatnation.core.web.routing import IngestRoute, Middleware, NavigationEntry, Page, Permission, Route

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registered(Generic[T]):
    """An item and the plugin that registered it."""

    plugin: str
    item: T


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Everything that was registered, in load order, the core's own items first."""

    services: tuple[Registered[Service], ...] = ()
    permissions: tuple[Registered[Permission], ...] = ()
    login_providers: tuple[Registered[LoginProvider], ...] = ()
    second_factors: tuple[Registered[SecondFactor], ...] = ()
    event_types: tuple[Registered[EventType], ...] = ()
    stages: tuple[Registered[Stage], ...] = ()
    projections: tuple[Registered[Projection], ...] = ()
    queues: tuple[Registered[QueueDriver], ...] = ()
    event_stores: tuple[Registered[EventStoreDriver], ...] = ()
    fact_sources: tuple[Registered[FactSource], ...] = ()
    metrics: tuple[Registered[Metric], ...] = ()
    listeners: tuple[Registered[Listener], ...] = ()
    jobs: tuple[Registered[Job], ...] = ()
    schedules: tuple[Registered[Schedule], ...] = ()
    retention: tuple[Registered[Retention], ...] = ()
    routes: tuple[Registered[Route], ...] = ()
    ingest_routes: tuple[Registered[IngestRoute], ...] = ()
    pages: tuple[Registered[Page], ...] = ()
    navigation: tuple[Registered[NavigationEntry], ...] = ()
    middleware: tuple[Registered[Middleware], ...] = ()
    sealed_columns: tuple[Registered[SealedColumn], ...] = ()
    archivables: tuple[Registered[Archivable], ...] = ()

    def only(self, plugins: Collection[str]) -> Resources:
        """What `plugins` and the core registered."""
        kept = {*plugins, CORE}
        return replace(
            self,
            **{
                field.name: tuple(entry for entry in getattr(self, field.name) if entry.plugin in kept)
                for field in fields(self)
            },
        )

    def of(self, plugin: str) -> dict[str, list[Any]]:
        """The items of one plugin by kind, without the kinds of which it has none."""
        found = {
            field.name: [entry.item for entry in getattr(self, field.name) if entry.plugin == plugin]
            for field in fields(self)
        }
        return {kind: items for kind, items in found.items() if items}


def collect(hooks: Hooks, inventory: Inventory) -> Resources:
    """Ask every `register_*` hook, but `register_commands`, which the command line asks.

    A plugin that raises, or returns something of the wrong type, is failed and all of its items are left out.
    """

    def ask(spec: Callable[[], Iterable[T]], kind: type[T]) -> tuple[Registered[T], ...]:
        found: list[Registered[T]] = []
        for outcome in hooks.collect(spec):
            strangers = [item for item in outcome.value or () if not isinstance(item, kind)]
            error = outcome.error or (_stranger(outcome.plugin, spec, kind, strangers[0]) if strangers else None)
            if error is None:
                found.extend(Registered(outcome.plugin, item) for item in outcome.unwrap())
            elif outcome.plugin == CORE:
                raise error
            else:
                inventory.fail(outcome.plugin, spec.__name__, error)
        return tuple(found)

    resources = Resources(
        services=ask(composition.register_services, Service),
        permissions=ask(auth.register_permissions, Permission),
        login_providers=ask(auth.register_login_providers, LoginProvider),
        second_factors=ask(auth.register_second_factors, SecondFactor),
        event_types=ask(events.register_event_types, EventType),
        stages=ask(events.register_stages, Stage),
        projections=ask(events.register_projections, Projection),
        queues=ask(events.register_queues, QueueDriver),
        event_stores=ask(events.register_event_stores, EventStoreDriver),
        fact_sources=ask(events.register_fact_sources, FactSource),
        metrics=ask(events.register_metrics, Metric),
        listeners=ask(work.register_listeners, Listener),
        jobs=ask(work.register_jobs, Job),
        schedules=ask(work.register_schedules, Schedule),
        retention=ask(work.register_retention, Retention),
        routes=ask(web.register_routes, Route),
        ingest_routes=ask(web.register_ingest_routes, IngestRoute),
        pages=ask(web.register_pages, Page),
        navigation=ask(web.register_navigation, NavigationEntry),
        middleware=ask(web.register_middleware, Middleware),
        sealed_columns=ask(data.register_sealed_columns, SealedColumn),
        archivables=ask(data.register_archivables, Archivable),
    )
    return resources.only([record.name for record in inventory.active()])


def _stranger(plugin: str, spec: Callable[..., object], kind: type[object], item: object) -> PluginError:
    return PluginError(plugin, f"{spec.__name__} returned {type(item).__name__} where {kind.__name__} is wanted")
