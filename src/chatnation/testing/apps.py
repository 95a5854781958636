"""Composed and running apps on real servers, each with a database of its own."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, Self

import httpx
import uvicorn

from chatnation.core.app import App
from chatnation.core.auth.keys import KeyType, create_key
from chatnation.core.auth.logins import open_login
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.security_policy import SecurityPolicy
from chatnation.core.auth.tenancy import DEFAULT_TIMEZONE, Project, create_project, create_tenant
from chatnation.core.auth.users import create_user
from chatnation.core.clock import SystemClock
from chatnation.core.compose import Assembly, assemble, build
from chatnation.core.context import Tenant
from chatnation.core.ids import uuid7
from chatnation.core.jobs.definitions import Listener
from chatnation.core.plugin.base import Plugin
from chatnation.core.plugin.boundary import CORE, Boundary
from chatnation.core.plugin.loader import PluginSettings
from chatnation.core.plugin.resources import Registered
from chatnation.core.settings import Role, Settings
from chatnation.core.signals import DomainEvent
from chatnation.core.storage.migrations import histories, upgrade
from chatnation.core.storage.storage import Storage
from chatnation.core.supervisor.web import server_config
from chatnation.core.web.cookies import SESSION_COOKIE
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import Wire
from chatnation.testing.servers import SharedServers

if TYPE_CHECKING:
    from chatnation.core.processing.worker import Worker

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Source:
    """A tenant's project and a key that sends events to it."""

    tenant: Tenant
    project: Project
    write_key: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can log in. `token` is that of an open login."""

    tenant: Tenant
    email: str
    password: str
    token: str


class MakeApp(Protocol):
    """Makes an app and starts it; see `AppMaker`."""

    async def __call__(
        self,
        *plugins: type[Plugin],
        role: Role = Role.ALL,
        settings: Mapping[str, Any] | None = None,
        plugin_settings: PluginSettings | None = None,
        clock: FakeClock | None = None,
        like: RunningApp | None = None,
    ) -> RunningApp: ...


class AppMaker:
    """Makes apps, and stops them all at the end of its block."""

    def __init__(self, servers: SharedServers) -> None:
        self._servers = servers
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def __call__(
        self,
        *plugins: type[Plugin],
        role: Role = Role.ALL,
        settings: Mapping[str, Any] | None = None,
        plugin_settings: PluginSettings | None = None,
        clock: FakeClock | None = None,
        like: RunningApp | None = None,
    ) -> RunningApp:
        """An app with just `plugins`, or with all that are installed if none is given; started, schemas up to date.

        It has a database and a Redis of its own, but with `like` those of another app. `settings` are fields of
        `Settings`, `plugin_settings` the settings of plugins by their names. The clock is real unless one is given.
        """
        chosen = await self._settings(like, dict(settings or {}))
        heard: list[DomainEvent] = []
        assembly = _listened_to(assemble(chosen, plugins=plugins or None, plugin_settings=plugin_settings), heard)
        if chosen.database_url is None:
            database_url = await self._servers.create_database(await self._template(assembly))
            self._stack.push_async_callback(self._servers.drop_database, database_url)
            chosen = chosen.model_copy(update={"database_url": database_url})
        app = build(chosen, assembly, role=role, clock=clock or SystemClock())
        await self._stack.enter_async_context(app.lifespan())
        running = RunningApp(app, heard)
        self._stack.push_async_callback(running.close)
        return running

    async def _settings(self, like: RunningApp | None, given: dict[str, Any]) -> Settings:
        if like is not None:
            return like.app.settings.model_copy(update=given)
        base: dict[str, Any] = {
            "redis_url": await self._servers.redis_database(),
            "secret_key": "0123456789abcdef" * 3,
            "encryption_keys": "01" * 32,
            "data_dir": Path(self._stack.enter_context(TemporaryDirectory(prefix="chatnation-test-data-"))),
            "process_batch_wait_ms": 10,
            "database_url": None,
        }
        return Settings(**{**base, **given})

    async def _template(self, assembly: Assembly) -> str:
        """The name of a database with the schemas of these plugins, made once a test run."""
        classes = [record.plugin_class for record in assembly.inventory.active() if record.plugin_class]
        wanted = histories(classes)
        key = ";".join(f"{history.owner}:{_digest(history.folder)}" for history in wanted)

        async def make(url: str) -> None:
            storage = Storage(url)
            try:
                for done in await upgrade(storage, wanted, Boundary()):
                    if done.error is not None:
                        raise done.error
            finally:
                await storage.dispose()

        return await self._servers.template(key, make)


class RunningApp:
    """An app in a test, and what a test does with it.

    `domain_events` are those that were delivered so far, in order.
    """

    def __init__(self, app: App, domain_events: list[DomainEvent]) -> None:
        self.app = app
        self.domain_events = domain_events
        self._stack = AsyncExitStack()
        self._source: Source | None = None
        self._worker: Worker | None = None
        self._address: str | None = None

    async def source(
        self,
        name: str | None = None,
        *,
        tenant: Tenant | None = None,
        timezone: str = DEFAULT_TIMEZONE,
        **project: Any,
    ) -> Source:
        """A new project with a write key; of a new tenant in `timezone`, unless one is given.

        `project` as for `create_project`.
        """
        name = name or f"Test {uuid7().hex[-8:]}"
        async with self.app.storage.system("make a project for a test") as connection:
            tenant = tenant or await create_tenant(connection, name, timezone=timezone)
            made = await create_project(connection, tenant.id, name, **project)
            key = await create_key(connection, tenant.id, name, KeyType.WRITE, project_id=made.id)
        return Source(tenant, made, key.secret)

    async def person(self, tenant: Tenant, role: RoleName = RoleName.SUPER_ADMIN) -> Person:
        """A new user of `tenant`, logged in."""
        email = f"{uuid7().hex[-12:]}@example.org"
        password_hash = await hash_password(PASSWORD, rounds=4)
        async with self.app.storage.system("make a user for a test") as connection:
            user_id = await create_user(connection, tenant.id, email, "Somebody", role, password_hash)
            login = await open_login(connection, tenant.id, user_id, SecurityPolicy(), self.app.clock.now())
        return Person(tenant, email, PASSWORD, login.token)

    async def client(self, person: Person | None = None, **options: Any) -> httpx.AsyncClient:
        """A client of the web application, without a network in between; logged in as `person` if given."""
        return await self._client(
            transport=httpx.ASGITransport(app=self.app.web, raise_app_exceptions=False),
            base_url="http://testserver",
            cookies={SESSION_COOKIE: person.token} if person else None,
            **options,
        )

    async def network_client(self, person: Person | None = None, **options: Any) -> httpx.AsyncClient:
        """A client of a real server, which runs as long as the app. Its address is the client's `base_url`."""
        if self._address is None:
            self._address = await self._stack.enter_async_context(_served(self.app))
        return await self._client(
            base_url=self._address, cookies={SESSION_COOKIE: person.token} if person else None, **options
        )

    async def capture(self, events: Iterable[Wire], source: Source | None = None) -> httpx.Response:
        """Send events as one batch to `POST /v1/capture`; to a project of their own, unless given."""
        source = source or await self._default_source()
        client = await self.client()
        return await client.post(
            "/v1/capture", json={"batch": list(events), "sent_at": None}, headers={"X-Write-Key": source.write_key}
        )

    async def drain(self) -> None:
        """Process what waits in the stream, as the role `process` would."""
        from chatnation.core.processing.worker import Worker

        if self._worker is None:
            self._worker = Worker(self.app)
        await self._worker.processor.drain()

    async def ingest_and_drain(self, events: Iterable[Wire], source: Source | None = None) -> dict[str, Any]:
        """Send events through the collector and process them; the collector's answer. Fails if it refused the batch."""
        response = await self.capture(events, source)
        assert response.status_code == 200, response.text
        await self.drain()
        answer: dict[str, Any] = response.json()
        return answer

    async def run_jobs(self) -> None:
        """Run the jobs that are due, and those that they enqueue."""
        from chatnation.core.jobs.runner import JobRunner

        await JobRunner(self.app).drain()

    async def close(self) -> None:
        """Close clients and servers; the app goes on."""
        self._address = None
        await self._stack.aclose()

    async def _default_source(self) -> Source:
        if self._source is None:
            self._source = await self.source()
        return self._source

    async def _client(self, **options: Any) -> httpx.AsyncClient:
        return await self._stack.enter_async_context(httpx.AsyncClient(**options))


@asynccontextmanager
async def _served(app: App) -> AsyncIterator[str]:
    """Serve the web application on a free port as the product does; its lifespan is left to whoever runs the app."""
    server = uvicorn.Server(server_config(app.web, app.web.at_once))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _listened_to(assembly: Assembly, heard: list[DomainEvent]) -> Assembly:
    """The assembly with a listener that keeps every domain event."""

    async def keep(event: DomainEvent) -> None:
        heard.append(event)

    ear = Registered(CORE, Listener(DomainEvent, keep))
    resources = replace(assembly.resources, listeners=(ear, *assembly.resources.listeners))
    return replace(assembly, resources=resources)


def _digest(folder: Path) -> str:
    """A hash of the revisions, so that a run after an edit does not find an old template."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
