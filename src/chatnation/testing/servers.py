"""Real servers for tests: one pair a test run, an own database and an own key space for whoever asks."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from chatnation.core.embedded import EmbeddedServers

_FOLDER_PREFIX = "chatnation-tests-"
_SETTLED_SECONDS = 120
_MEMORY = Path("/dev/shm")
_PLENTY = 4 * 1024**3
_PLAIN_ROLE = "chatnation_tests"
_COUNTER = "chatnation:testing:databases"


@dataclass(frozen=True, slots=True)
class SharedServers:
    """The servers of this test run.

    `admin_url` may create databases; `owner` is the role that owns them and that tests log in as, which is no
    superuser.
    """

    admin_url: str
    owner: str
    owner_password: str | None
    redis_url: str

    async def create_database(self, template: str | None = None) -> str:
        """Make a database, a copy of the database named `template` if given; gives its address.

        The address is for SQLAlchemy with asyncpg. A copy of a migrated template takes about 30 ms where fsync is off.
        """
        name = f"test_{uuid4().hex}"
        await self._create(name, template)
        return self.url_of(name)

    async def drop_database(self, url: str) -> None:
        """Drop what `create_database` made, open connections included."""
        async with self._admin() as connection:
            await connection.execute(f'DROP DATABASE IF EXISTS "{_database_of(url)}" WITH (FORCE)')

    async def template(self, key: str, build: Callable[[str], Awaitable[None]]) -> str:
        """The name of a template database for `create_database`, made once a run by `build(url)`.

        `build` leaves no connection open behind it. Processes that ask for the same `key` wait for the first.
        """
        name = f"template_{hashlib.sha256(f'{self.owner}/{key}'.encode()).hexdigest()[:24]}"
        async with self._admin() as connection:
            await connection.execute("SELECT pg_advisory_lock(hashtext($1))", name)
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                return name
            draft = f"{name}_draft"
            await connection.execute(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
            await self._create(draft, None)
            await build(self.url_of(draft))
            await connection.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
        return name

    async def redis_database(self) -> str:
        """The address of an empty logical database that nobody else in this run has.

        With servers from CHATNATION_TEST_REDIS_URL there may be few of them, and they are handed out again in turn.
        """
        async with Redis.from_url(self.redis_url) as client:
            count = int((await client.config_get("databases"))["databases"] or 16)
            number = 1 + (await client.incr(_COUNTER) - 1) % (count - 1)
        url = _with_redis_database(self.redis_url, number)
        async with Redis.from_url(url) as client:
            await client.flushdb()
        return url

    def url_of(self, database: str) -> str:
        """The address of `database`, logged in as its owner."""
        parts = urlsplit(self.admin_url)
        host = parts.netloc.rpartition("@")[2]
        login = self.owner if self.owner_password is None else f"{self.owner}:{self.owner_password}"
        return parts._replace(netloc=f"{login}@{host}", path=f"/{database}").geturl()

    async def _create(self, name: str, template: str | None) -> None:
        async with self._admin() as connection:
            # Copying files needs a checkpoint; where nothing is flushed that costs nothing, and is 4 times faster.
            copied = template and await connection.fetchval("SHOW fsync") == "off"
            source = f' TEMPLATE "{template}"' if template else ""
            strategy = " STRATEGY FILE_COPY" if copied else ""
            await connection.execute(f'CREATE DATABASE "{name}" OWNER "{self.owner}"{source}{strategy}')

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(plain_url(self.admin_url))
        try:
            yield connection
        finally:
            await connection.close()


@contextmanager
def shared_servers() -> Iterator[SharedServers]:
    """The servers of this test run, for a session-scoped fixture.

    Embedded ones, started by the first process of the run (pytest-xdist makes several) and removed by its last; or
    those of CHATNATION_TEST_DATABASE_URL (a role that may create databases) and CHATNATION_TEST_REDIS_URL.
    """
    database_url = os.environ.get("CHATNATION_TEST_DATABASE_URL")
    redis_url = os.environ.get("CHATNATION_TEST_REDIS_URL")
    if database_url and redis_url:
        yield _foreign(database_url, redis_url)
        return
    _remove_abandoned()
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid4().hex
    folder = scratch_folder() / f"{_FOLDER_PREFIX}{run[:12]}"
    with EmbeddedServers(folder, durable=False, temporary=True) as urls:
        redis_url = redis_url or urls.redis_url
        if database_url:
            yield _foreign(database_url, redis_url)
        else:
            yield SharedServers(urls.superuser_url, "chatnation", None, redis_url)


def scratch_folder() -> Path:
    """Where servers of tests keep their files: in memory where there is plenty.

    A database is some six hundred small files, which a disk's file system takes 200 ms to make, and memory 25.
    """
    with suppress(OSError):
        if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _PLENTY:
            return _MEMORY
    return Path(tempfile.gettempdir())


def plain_url(url: str) -> str:
    """The address without SQLAlchemy's driver name, as asyncpg itself wants it."""
    return re.sub(r"^postgresql\+\w+", "postgresql", url)


def _foreign(database_url: str, redis_url: str) -> SharedServers:
    """Servers that somebody else runs. A superuser lends itself a plain role, so that row-level security is tested."""
    login = urlsplit(database_url)
    admin_url = re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql+asyncpg:", database_url)
    if asyncio.run(_make_plain_role(admin_url)):
        return SharedServers(admin_url, _PLAIN_ROLE, _PLAIN_ROLE, redis_url)
    return SharedServers(admin_url, login.username or "postgres", login.password, redis_url)


async def _make_plain_role(admin_url: str) -> bool:
    connection = await asyncpg.connect(plain_url(admin_url))
    try:
        if await connection.fetchval("SHOW is_superuser") == "off":
            return False
        tenants = f"{_PLAIN_ROLE}_tenant"
        for role in (f"{_PLAIN_ROLE} LOGIN PASSWORD '{_PLAIN_ROLE}'", f"{tenants} NOLOGIN"):
            with suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                await connection.execute(f"CREATE ROLE {role} NOBYPASSRLS")
        if not await connection.fetchval(f"SELECT pg_has_role('{_PLAIN_ROLE}', '{tenants}', 'MEMBER')"):
            with suppress(asyncpg.UniqueViolationError):
                await connection.execute(f"GRANT {tenants} TO {_PLAIN_ROLE}")
        return True
    finally:
        await connection.close()


def _remove_abandoned() -> None:
    """Stop and remove the servers of test runs that were killed."""
    for folder in scratch_folder().glob(f"{_FOLDER_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _SETTLED_SECONDS:
                servers = EmbeddedServers(folder, durable=False, temporary=True)
                if not servers.status().shared:
                    servers.remove_abandoned()


def _database_of(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _with_redis_database(url: str, number: int) -> str:
    base, _, query = url.partition("?")
    options = [option for option in query.split("&") if option and not option.startswith("db=")]
    return f"{base}?{'&'.join([*options, f'db={number}'])}"
