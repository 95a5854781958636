"""What the core itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation.core.auth.permissions import CORE_PERMISSIONS
from chatnation.core.hookspecs.events import EventType, QueueDriver
from chatnation.core.jobs.definitions import Job, Retention, Schedule
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.boundary import CORE
from chatnation.core.web.routing import IngestRoute, NavigationEntry, Page, Permission, Route


class Core(Plugin):
    """Chatnation

    Tenants, projects, users, keys, events and persons. Its items come first, it cannot be switched off, and its failure
    is the product's. Its routes are under `/api`, its pages under `/`.
    """

    name = CORE
    url_prefix = ""

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        return CORE_PERMISSIONS

    @hookimpl
    def register_event_types(self) -> Iterable[EventType]:
        from chatnation.core.ingestion.catalog import EVENT_TYPES

        return EVENT_TYPES

    @hookimpl
    def register_queues(self) -> Iterable[QueueDriver]:
        from chatnation.core.queue.redis import RedisQueue

        return [QueueDriver(scheme, RedisQueue.create) for scheme in ("redis", "rediss", "unix")]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return []

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return []

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        return []

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return []

    @hookimpl
    def register_ingest_routes(self) -> Iterable[IngestRoute]:
        return []

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return []

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return []
