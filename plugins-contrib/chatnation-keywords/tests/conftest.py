"""Fixtures come from Chatnation's own pytest plugin; this one says which event loop the tests run on."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
