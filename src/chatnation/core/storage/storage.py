"""The two doors to the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, cast

import asyncpg
import msgspec
from sqlalchemy import TextClause, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from chatnation.core.storage.codecs import set_codecs
from chatnation.core.storage.errors import DatabaseUnavailable, is_lost, is_unreachable
from chatnation.core.storage.tenant_role import TENANT_ROLE
from chatnation.core.storage.url import engine_url

_ENTER_TENANT = text(
    "SELECT set_config('chatnation.tenant_id', :name, true), set_config('chatnation.system', '', true),"
    f" set_config('role', {TENANT_ROLE}, true)"
)
# The role is what it is by default; said all the same, so that nothing that was left in a connection lives on.
_ENTER_SYSTEM = text(
    "SELECT set_config('chatnation.tenant_id', '', true), set_config('chatnation.system', :name, true),"
    " set_config('role', 'none', true)"
)
# In the transaction alone; 0 is no limit.
_ENTER_SNAPSHOT = text(f"{_ENTER_TENANT.text}, set_config('statement_timeout', :timeout, true)")
_SNAPSHOT = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_AFTER_COMMIT = "chatnation.after_commit"

Action = Callable[[], Awaitable[None]]


class Storage:
    """Opens transactions: `tenant(id)` for the data of one tenant, `system(reason)` for what crosses tenants.

    `snapshot(id)` is a door for reading what a tenant has at one moment. All commit when their block ends and roll back
    when it raises. An error that means the database is away leaves them as `DatabaseUnavailable`. `statement_timeout`
    is in seconds; None is the server's own.
    """

    def __init__(
        self,
        database_url: str,
        *,
        pool_size: int = 5,
        statement_timeout: float | None = None,
        application: str = "chatnation",
    ) -> None:
        self._server_settings = {"application_name": application, "timezone": "UTC", "jit": "off"}
        if statement_timeout is not None:
            self._server_settings["statement_timeout"] = str(int(statement_timeout * 1000))
        self._engine = _create_engine(database_url, pool_size, self._server_settings)

    @property
    def engine(self) -> AsyncEngine:
        """For migrations and tests. Everything else goes through a door."""
        return self._engine

    @asynccontextmanager
    async def tenant(self, tenant_id: int) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees and writes the rows of one tenant only: PostgreSQL hides and refuses all others.

        COPY into a table is refused too; see `enter_tenant`.
        """
        async with self._transaction(_ENTER_TENANT, str(tenant_id)) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(
        self, tenant_id: int, *, timeout: float | None = None, writes: bool = False
    ) -> AsyncIterator[AsyncConnection]:
        """Like `tenant`, but every statement sees the moment of the first one; it reads only, unless it `writes`.

        `timeout`: seconds that a statement may take.
        """
        limit = {} if timeout is None else {"timeout": str(int(timeout * 1000))}
        door = _ENTER_TENANT if timeout is None else _ENTER_SNAPSHOT
        async with self._transaction(
            door, str(tenant_id), limit, {**_SNAPSHOT, "postgresql_readonly": not writes}
        ) as connection:
            yield connection

    @asynccontextmanager
    async def system(self, reason: str) -> AsyncIterator[AsyncConnection]:
        """A transaction that may see the rows of every tenant; `reason` says in a few words why it has to."""
        async with self._transaction(_ENTER_SYSTEM, reason) as connection:
            yield connection

    @asynccontextmanager
    async def pool(self, size: int) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
        """Connections of asyncpg's own, beside the doors, for a library that manages its connections itself."""
        _, address = self._engine.dialect.create_connect_args(self._engine.url)
        settings = self._server_settings
        async with asyncpg.create_pool(min_size=1, max_size=size, server_settings=settings, **address) as pool:
            yield pool

    async def dispose(self) -> None:
        """Close every connection. The storage can be used again afterwards."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(
        self,
        door: TextClause,
        name: str,
        parameters: Mapping[str, str] = MappingProxyType({}),
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> AsyncIterator[AsyncConnection]:
        connection = await self._enter(door, {"name": name, **parameters}, options)
        actions: list[Action] = []
        connection.sync_connection.info[_AFTER_COMMIT] = actions  # type: ignore[union-attr]
        try:
            yield connection
            await connection.commit()
        except BaseException as error:
            lost = is_lost(error)
            with suppress(Exception):
                await (connection.invalidate() if lost else connection.rollback())
            if lost:
                raise DatabaseUnavailable(f"The database went away: {error}") from error
            raise
        finally:
            with suppress(Exception):
                await connection.close()
        for action in actions:
            await action()

    async def _enter(
        self, door: TextClause, parameters: Mapping[str, str], options: Mapping[str, Any]
    ) -> AsyncConnection:
        """A connection inside a fresh transaction.

        The first statement also finds out whether a pooled connection outlived its server; one other try replaces it,
        which costs nothing while all is well.
        """
        last: Exception | None = None
        for _ in range(2):
            connection: AsyncConnection | None = None
            try:
                connection = await self._engine.connect()
                if options:
                    await connection.execution_options(**options)
                await connection.execute(door, parameters)
                return connection
            except Exception as error:
                if connection is not None:
                    with suppress(Exception):
                        await connection.invalidate()
                        await connection.close()
                if not is_unreachable(error):
                    raise
                last = error
        raise DatabaseUnavailable(f"The database cannot be reached: {last}") from last


async def enter_tenant(connection: AsyncConnection, tenant_id: int) -> None:
    """Make the rest of a system transaction one of `tenant_id`, as if it had come through that door.

    For what has to be done as the owner first, such as COPY, and is followed by code that must not see other tenants.
    """
    await connection.execute(_ENTER_TENANT, {"name": str(tenant_id)})


def after_commit(connection: AsyncConnection, action: Action) -> None:
    """Run `action` when the transaction of `connection`, opened by a door, has committed; never, if it rolls back.

    Actions run in the order given, after the connection went back to the pool; whoever opened the door awaits them.
    """
    cast("list[Action]", connection.sync_connection.info[_AFTER_COMMIT]).append(action)  # type: ignore[union-attr]


async def raw(connection: AsyncConnection) -> asyncpg.Connection[Any]:
    """asyncpg's own connection, inside the transaction of a door; for COPY and for statements on the hot path.

    JSON for jsonb columns goes in as `str` or `bytes` of JSON text and comes out decoded. Addresses (`inet`) come out
    as `ipaddress` objects and go in as those or as text. Do not commit or roll back on it.
    """
    pooled = await connection.get_raw_connection()
    return cast("asyncpg.Connection[Any]", pooled.driver_connection)


def _create_engine(database_url: str, pool_size: int, server_settings: dict[str, str]) -> AsyncEngine:
    engine = create_async_engine(
        engine_url(database_url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        json_serializer=_to_json,
        json_deserializer=msgspec.json.decode,
        connect_args={"server_settings": server_settings},
    )
    event.listen(engine.sync_engine, "connect", _set_codecs)
    return engine


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _set_codecs(dbapi_connection: Any, record: object) -> None:
    dbapi_connection.run_async(set_codecs)
