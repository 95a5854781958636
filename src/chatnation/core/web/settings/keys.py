"""Keys of a tenant: what is done to them, with its records, for pages and routes alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth import keys
from chatnation.core.auth.effective import Standings
from chatnation.core.auth.key_scopes import check_within, checked_scopes, scopes_of
from chatnation.core.auth.keys import KeyEntry, KeyType, NewKey
from chatnation.core.auth.names import InvalidName
from chatnation.core.auth.tenancy import Project, Unknown, find_project, list_projects
from chatnation.core.web.audited import record_of
from chatnation.core.web.routing import Permission

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor

LONGEST_OVERLAP = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class WantedKey:
    """What somebody asks for. `project` is a handle; needed for keys that send events, unless there is one project."""

    name: str
    type: KeyType
    project: str | None = None
    scopes: Collection[str] = ()
    allowed_origins: Sequence[str] = ()
    expires_at: datetime | None = None


class TenantKeys:
    """The keys of the tenant of whoever sends a request. Raises what `core.auth.refusals` and `names` name."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._standings = app.services.get(Standings)

    async def entries(self, actor: Actor) -> list[KeyEntry]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await keys.list_keys(connection, actor.tenant.id)

    async def projects(self, actor: Actor) -> list[Project]:
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            return await list_projects(connection, actor.tenant.id)

    def scopes(self, actor: Actor) -> list[Permission]:
        """What `actor` may let a key do."""
        return [entry.item for entry in self._standings.defaults.registered if actor.can(entry.item.name)]

    async def create(self, request: Request, wanted: WantedKey) -> tuple[KeyEntry, NewKey]:
        """Make a key; its secret is told this once."""
        actor, now = _actor(request), self._app.clock.now()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise InvalidName("A key has to end in the future.")
        scopes = checked_scopes(actor, wanted.type, wanted.scopes, self._standings.defaults.known)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            project = await _project(connection, actor.tenant.id, wanted)
            made = await keys.create_key(
                connection,
                actor.tenant.id,
                wanted.name,
                wanted.type,
                project_id=project.id if project else None,
                allowed_origins=wanted.allowed_origins or None,
                scopes=scopes,
                expires_at=wanted.expires_at,
                created_by=actor.user_id,
            )
            entry = await keys.find_key(connection, actor.tenant.id, str(made.id))
            await self._record(
                connection,
                request,
                "created",
                entry,
                type=str(entry.type),
                project=entry.project,
                scopes=scopes,
                expires_at=entry.expires_at.isoformat() if entry.expires_at else None,
            )
        return entry, made

    async def rotate(self, request: Request, key_id: int, overlap: timedelta) -> tuple[KeyEntry, KeyEntry, NewKey]:
        """Make a key that may do the same, and have the old one end after `overlap`; gives the old, and the new."""
        actor, now = _actor(request), self._app.clock.now()
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise InvalidName(f"The old key ends within {LONGEST_OVERLAP.days} days.")
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            before = await _key(connection, actor.tenant.id, key_id)
            check_within(actor, scopes_of(before.type, before.scopes))
            _, made = await keys.rotate_key(
                connection, actor.tenant.id, str(key_id), now, overlap, created_by=actor.user_id
            )
            found = {entry.id: entry for entry in await keys.list_keys(connection, actor.tenant.id)}
            old, new = found[key_id], found[made.id]
            ends = old.revoked_at or old.expires_at
            await self._record(
                connection, request, "rotated", old, new=new.prefix, old_ends_at=ends.isoformat() if ends else None
            )
        return old, new, made

    async def revoke(self, request: Request, key_id: int) -> KeyEntry:
        """Have a key refused everywhere within a second, for good."""
        actor = _actor(request)
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            await _key(connection, actor.tenant.id, key_id)
            gone = await keys.revoke_key(connection, actor.tenant.id, str(key_id))
            await self._record(connection, request, "revoked", gone)
        return replace(gone, revoked_at=self._app.clock.now())

    async def _record(
        self, connection: AsyncConnection, request: Request, verb: str, key: KeyEntry, **details: Any
    ) -> None:
        record = record_of(request, f"config.key.{verb}", "key", key.id, name=key.name, prefix=key.prefix, **details)
        await audit_of(self._app).record(connection, record)


async def _key(connection: AsyncConnection, tenant_id: int, key_id: int) -> KeyEntry:
    try:
        return await keys.find_key(connection, tenant_id, str(key_id))
    except Unknown:
        raise Unknown("There is no such key, or it is revoked already.") from None


async def _project(connection: AsyncConnection, tenant_id: int, wanted: WantedKey) -> Project | None:
    if wanted.project is None and not wanted.type.sends_events:
        return None
    try:
        return await find_project(connection, tenant_id, wanted.project)
    except Unknown as error:
        raise InvalidName(str(error)) from None


def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor
