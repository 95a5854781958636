"""Fixtures for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from chatnation.testing.servers import SharedServers, shared_servers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def servers() -> Iterator[SharedServers]:
    """PostgreSQL and Valkey of this test run."""
    with shared_servers() as started:
        yield started


@pytest.fixture
async def empty_database(servers: SharedServers, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a database without tables, dropped after the test."""
    url = await servers.create_database()
    yield url
    await servers.drop_database(url)
