"""What the core itself registers, through the same hooks as any plugin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chatnation.core.archivables import Archivable
from chatnation.core.auth.permissions import CORE_PERMISSIONS
from chatnation.core.hookspecs.auth import LoginProvider, SecondFactor
from chatnation.core.hookspecs.events import EventType, QueueDriver
from chatnation.core.ingestion.intake import Intake
from chatnation.core.ingestion.service import Ingestion
from chatnation.core.jobs.definitions import Job, Retention, Schedule
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.services import Service
from chatnation.core.query.segments.sources import EVENTS, FactSource
from chatnation.core.query.store import EventStore, EventStoreDriver
from chatnation.core.sealed_columns import SealedColumn
from chatnation.core.web.routing import AUTHENTICATED, IngestRoute, NavigationEntry, Page, Permission, Route

if TYPE_CHECKING:
    from chatnation.core.app import App


class Core(Plugin):
    """Chatnation

    Tenants, projects, users, keys, events and persons. Its items come first, it cannot be switched off, and its failure
    is the product's. Its routes are under `/api`, its pages under `/`.
    """

    name = CORE
    url_prefix = ""

    def __init__(self) -> None:
        super().__init__()
        self._ingestion = Ingestion()

    @hookimpl
    def register_permissions(self) -> Iterable[Permission]:
        return CORE_PERMISSIONS

    @hookimpl
    def register_second_factors(self) -> Iterable[SecondFactor]:
        from chatnation.core.auth.email_codes import email_codes
        from chatnation.core.mail import mailer_of

        return [email_codes(lambda: mailer_of(self._app))]

    @hookimpl
    def register_archivables(self) -> Iterable[Archivable]:
        from chatnation.core.auth.archivables import ArchivableMembers, ArchivableRoles
        from chatnation.core.auth.effective import Standings

        def standings() -> Standings:
            return self._app.services.get(Standings)

        members = ArchivableMembers(standings, lambda: self._app.signals)
        return [ArchivableRoles(standings).archivable(), members.archivable()]

    @hookimpl
    def register_event_types(self) -> Iterable[EventType]:
        from chatnation.core.ingestion.catalog import EVENT_TYPES

        return EVENT_TYPES

    @hookimpl
    def register_queues(self) -> Iterable[QueueDriver]:
        from chatnation.core.queue.redis import RedisQueue

        return [QueueDriver(scheme, RedisQueue.create) for scheme in ("redis", "rediss", "unix")]

    @hookimpl
    def register_event_stores(self) -> Iterable[EventStoreDriver]:
        def create(app: App) -> EventStore:
            from chatnation.core.query.postgres import PostgresEventStore

            store: EventStore = PostgresEventStore(app)
            return store

        return [EventStoreDriver("postgresql", create)]

    @hookimpl
    def register_fact_sources(self) -> Iterable[FactSource]:
        return [EVENTS]

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app
        await self._ingestion.start(app)

    @hookimpl
    async def shutdown(self, app: App) -> None:
        from chatnation.core.query.runner import QueryRunner

        await self._ingestion.stop()
        await app.services.get(QueryRunner).close()

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        return [Service(Intake, self._ingestion)]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [
            Job("core.apply_retention", self._apply_retention),
            Job("core.remove_logins", self._remove_logins),
            Job("core.compact_events", self._compact_events),
            Job("core.build_segments", self._build_segments),
            Job("core.send_reset_link", self._send_reset_link),
        ]

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [
            Schedule("core.apply_retention", "17 1 * * *"),
            Schedule("core.remove_logins", "37 * * * *"),
            Schedule("core.compact_events", "47 2 * * *"),
            Schedule("core.build_segments", "* * * * *"),
        ]

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        return [
            Retention("ingest_ledger", "minute", days=400),
            Retention("jobs.log", "created", days=30),
            Retention("jobs.statistics", "created", days=90),
        ]

    async def _apply_retention(self, payload: dict[str, Any]) -> None:
        from chatnation.core.storage.retention import Retainer

        await Retainer.of(self._app).apply()

    async def _compact_events(self, payload: dict[str, Any]) -> None:
        from chatnation.core.storage.compaction import compact_months

        await compact_months(self._app.storage, self._app.clock)

    async def _build_segments(self, payload: dict[str, Any]) -> None:
        from chatnation.core.query.segments.builder import SegmentBuilder

        await SegmentBuilder.of(self._app).run()

    async def _send_reset_link(self, payload: dict[str, Any]) -> None:
        from chatnation.core.web.accounts.reset_mail import send_reset_link

        await send_reset_link(self._app, payload)

    async def _remove_logins(self, payload: dict[str, Any]) -> None:
        from chatnation.core.auth.challenges import remove_ended_challenges
        from chatnation.core.auth.devices import remove_ended_devices
        from chatnation.core.auth.logins import remove_ended

        now = self._app.clock.now()
        async with self._app.storage.system("logins that have ended") as connection:
            await remove_ended(connection, now)
            await remove_ended_challenges(connection, now)
            await remove_ended_devices(connection, now)

    @hookimpl
    def register_login_providers(self) -> Iterable[LoginProvider]:
        return [LoginProvider("sso", "Single sign-on", "/login/sso", "building", self._somebody_signs_on)]

    async def _somebody_signs_on(self) -> bool:
        from chatnation.core.auth.single_sign_on import any_provider

        async with self._app.storage.system("is there any single sign-on") as connection:
            return await any_provider(connection)

    @hookimpl
    def register_sealed_columns(self) -> Iterable[SealedColumn]:
        return [
            SealedColumn("second_factors", "sealed", "second_factors:{user_id}:{factor}"),
            SealedColumn("sso_providers", "sealed_secret", "sso_providers:{id}"),
            SealedColumn("plugin_tenant_settings", "sealed_values", "plugin_tenant_settings:{tenant_id}:{plugin}"),
        ]

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        from chatnation.core.web.query_routes import QueryRoutes

        return QueryRoutes(lambda: self._app).routes()

    @hookimpl
    def register_ingest_routes(self) -> Iterable[IngestRoute]:
        return self._ingestion.routes()

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return []

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Settings", "/settings", AUTHENTICATED, group="settings", icon="settings", order=1)]
