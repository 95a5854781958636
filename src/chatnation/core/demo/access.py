"""The demo's own project in an instance, and a key for it that lasts as long as the demo runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.keys import KeyType, create_key, list_keys, revoke_key
from chatnation.core.auth.tenancy import Unknown, create_project, find_project, list_tenants
from chatnation.core.errors import ChatnationError
from chatnation.core.storage.models import events
from chatnation.core.storage.storage import Storage

PROJECT = "demo"
KEY_NAME = "Demo"
COMPLETE = timedelta(days=1)
"""Every day has events, so a history that begins this close to where it should was sent to its end."""


@dataclass(frozen=True, slots=True)
class DemoAccess:
    """A key of type `server` for the project, and the times of the first and last event that are there already."""

    write_key: str
    first_event_at: datetime | None
    last_event_at: datetime | None

    def resume(self, start: datetime) -> datetime:
        """From when on events are missing, if there should be some since `start`.

        That is after the last one; but all of them, where an earlier demo was cut short before it reached the start,
        since it sends the newest day first.
        """
        if self.first_event_at is None or self.last_event_at is None or self.first_event_at > start + COMPLETE:
            return start
        return max(start, self.last_event_at)


@asynccontextmanager
async def demo_access(storage: Storage, tenant: str | None = None) -> AsyncIterator[DemoAccess]:
    """Access to the project `demo` of the tenant of that handle, by default the first; the key is revoked afterwards.

    A key that a killed demo left behind is revoked at the beginning. Raises ChatnationError when there is no tenant.
    """
    async with storage.system("find the tenant of the demo") as connection:
        found = [each for each in await list_tenants(connection) if tenant in (None, each.slug)]
    if not found:
        raise ChatnationError(
            f"There is no tenant {tenant}." if tenant else "There is no tenant yet: run `chatnation serve` first."
        )
    tenant_id = min(each.id for each in found)
    async with storage.tenant(tenant_id) as connection:
        project_id = await _project(connection, tenant_id)
        await _revoke_all(connection, tenant_id)
        key = await create_key(connection, tenant_id, KEY_NAME, KeyType.SERVER, project_id=project_id)
        query = select(func.min(events.c.timestamp), func.max(events.c.timestamp)).where(
            events.c.tenant_id == tenant_id, events.c.project_id == project_id
        )
        first, last = (await connection.execute(query)).one()
    try:
        yield DemoAccess(key.secret, first, last)
    finally:
        with anyio.CancelScope(shield=True):
            async with storage.tenant(tenant_id) as connection:
                await revoke_key(connection, tenant_id, str(key.id))


async def _project(connection: AsyncConnection, tenant_id: int) -> int:
    try:
        project = await find_project(connection, tenant_id, PROJECT)
    except Unknown:
        project = await create_project(connection, tenant_id, "Demo", slug=PROJECT)
    return project.id


async def _revoke_all(connection: AsyncConnection, tenant_id: int) -> None:
    for entry in await list_keys(connection, tenant_id):
        if entry.name == KEY_NAME and entry.project == PROJECT and entry.revoked_at is None:
            await revoke_key(connection, tenant_id, str(entry.id))
