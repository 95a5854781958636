"""An office for every test of this folder."""

from __future__ import annotations

import pytest

from chatnation.testing.apps import MakeApp
from tests.core.web.settings.office import Office


@pytest.fixture
async def office(make_app: MakeApp) -> Office:
    app = await make_app()
    source = await app.source("Revenue")
    return Office(app, source, await app.client(await app.person(source.tenant)))
