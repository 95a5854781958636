"""A database with the tables of the core."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from chatnation.core.plugin.boundary import Boundary
from chatnation.core.storage.migrations import core_history, upgrade
from chatnation.core.storage.storage import Storage
from chatnation.testing.servers import SharedServers


async def _build(url: str) -> None:
    storage = Storage(url)
    await upgrade(storage, [core_history()], Boundary())
    await storage.dispose()


@pytest.fixture
async def database(servers: SharedServers, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a database with the core's tables, empty."""
    url = await servers.create_database(await servers.template("core", _build))
    yield url
    await servers.drop_database(url)


@pytest.fixture
async def storage(database: str) -> AsyncIterator[Storage]:
    storage = Storage(database)
    yield storage
    await storage.dispose()


@pytest.fixture
async def tenant_id(storage: Storage) -> int:
    """A tenant with nothing in it."""
    async with storage.system("a tenant for a test") as connection:
        return await connection.scalar(  # type: ignore[no-any-return]
            text("INSERT INTO tenants (slug, name, timezone) VALUES ('kra', 'KRA', 'Africa/Nairobi') RETURNING id")
        )
