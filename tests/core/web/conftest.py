"""A running shop, and somebody who may buy there."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from chatnation.core.auth.permissions import RoleName
from chatnation.testing.apps import MakeApp, Person, RunningApp, Source
from tests.core.web.shop import Shop


@dataclass(frozen=True, slots=True)
class Street:
    """The app, a tenant, its admin with a client that is signed in, and a client of a stranger."""

    app: RunningApp
    source: Source
    admin: Person
    buyer: httpx.AsyncClient
    stranger: httpx.AsyncClient

    async def agent(self) -> httpx.AsyncClient:
        """A client of somebody who may not buy."""
        return await self.app.client(await self.app.person(self.source.tenant, RoleName.AGENT))


@pytest.fixture
async def street(make_app: MakeApp) -> Street:
    app = await make_app(Shop)
    source = await app.source("Duka")
    admin = await app.person(source.tenant)
    return Street(app, source, admin, await app.client(admin), await app.client())


async def csrf_token(client: httpx.AsyncClient) -> str:
    """A token for requests of this client's login."""
    return str((await client.get("/api/auth/me")).json()["csrf_token"])
