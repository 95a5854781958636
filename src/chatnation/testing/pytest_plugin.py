"""Fixtures for tests of plugins. pytest loads this wherever Chatnation is installed, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chatnation.testing.apps import MakeApp
    from chatnation.testing.servers import SharedServers


@pytest.fixture(scope="session")
def chatnation_servers() -> Iterator[SharedServers]:
    """PostgreSQL and Valkey of this test run, started when first asked for."""
    from chatnation.testing.servers import shared_servers

    with shared_servers() as servers:
        yield servers


@pytest.fixture
async def make_app(chatnation_servers: SharedServers) -> AsyncIterator[MakeApp]:
    """Makes running apps: `app = await make_app(MyPlugin)`. They stop when the test ends."""
    from chatnation.testing.apps import AppMaker

    async with AppMaker(chatnation_servers) as maker:
        yield maker
