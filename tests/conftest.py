"""Fixtures for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chatnation.testing.servers import SharedServers


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def servers(chatnation_servers: SharedServers) -> SharedServers:
    """PostgreSQL and Valkey of this test run."""
    return chatnation_servers


@pytest.fixture
async def empty_database(servers: SharedServers, anyio_backend: str) -> AsyncIterator[str]:
    """The address of a database without tables, dropped after the test."""
    url = await servers.create_database()
    yield url
    await servers.drop_database(url)
