"""What pages and API do in the danger zone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation import (
    Actor,
    App,
    Archivable,
    Choice,
    Doomed,
    Eraser,
    NotFound,
    Problem,
    Slice,
    audit_of,
    check_fresh,
    record_of,
)
from chatnation.plugins.danger_zone import actions, queries
from chatnation.plugins.danger_zone.jobs import DELETE, EXPORT
from chatnation.plugins.danger_zone.progress import Board, Work, deletion_of, export_of
from chatnation.plugins.danger_zone.queries import ArchiveEntry, ArchiveQuery
from chatnation.plugins.media.api import Media

PERMISSION = "admin.danger_zone"
TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that can be deleted, and the things of that kind."""

    archivable: Archivable
    choices: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class Preview:
    """Something as it is before it is deleted. A count is None where a plugin could not count."""

    entity: str
    label: str
    key: str
    name: str
    consequences: str
    counts: Mapping[str, int | None]


class DangerZone:
    """Deletes roles, members, what plugins register, and tenants. Everything wants a login that was shown lately."""

    def __init__(self, app: Callable[[], App], board: Board) -> None:
        self._app = app
        self._board = board

    async def kinds(self, actor: Actor) -> list[Kind]:
        """Every kind that the actor may delete something of."""
        async with self._app().storage.tenant(actor.tenant.id) as connection:
            return [
                Kind(archivable, await archivable.choices(connection, actor))
                for archivable in self._archivables(actor).values()
                if actor.can(archivable.permission)
            ]

    async def preview(self, request: Request, entity: str, key: str) -> Preview:
        """What would be deleted. Raises what forbids it."""
        actor = self._checked(request)
        if entity == TENANT:
            self._check_own(actor, key)
            counts = await self._app().services.get(Eraser).summarize_tenant(actor.tenant.id)
            told = "Everything goes: events, people, settings, files. Nothing brings it back."
            return Preview(TENANT, "Organisation", actor.tenant.slug, actor.tenant.name, told, counts)
        archivable = self._archivable(actor, entity)
        async with self._app().storage.tenant(actor.tenant.id) as connection:
            doomed = await archivable.examine(connection, actor, key)
        return Preview(entity, archivable.label, doomed.key, doomed.name, archivable.consequences, doomed.counts)

    async def archive_and_delete(self, request: Request, entity: str, key: str, typed: str) -> tuple[Doomed, int]:
        """Copy into the archive and delete, in one transaction; gives what it was, and the number of the copy."""
        actor = self._checked(request)
        archivable = self._archivable(actor, entity)
        app = self._app()
        async with app.storage.tenant(actor.tenant.id) as connection:
            doomed = await archivable.examine(connection, actor, key)
            _check_typed(typed, doomed.name)
            number = await actions.put(connection, actor, entity, doomed, app.clock.now())
            await archivable.delete(connection, actor, doomed)
            details = {"name": doomed.name, "counts": dict(doomed.counts), "archive": number}
            await self._record(connection, request, _action(entity, "deleted"), entity, doomed.key, **details)
        return doomed, number

    async def archive(self, actor: Actor, query: ArchiveQuery) -> Slice[ArchiveEntry]:
        async with self._app().storage.tenant(actor.tenant.id) as connection:
            return await queries.page(connection, actor.tenant.id, query)

    def restorable(self, actor: Actor) -> frozenset[str]:
        """The kinds that can be restored, and by this actor."""
        return frozenset(
            entity
            for entity, archivable in self._archivables(actor).items()
            if archivable.restore is not None and actor.can(archivable.permission)
        )

    async def restore(self, request: Request, entry_id: int) -> str:
        """Make again what was deleted; gives its name."""
        actor = self._checked(request)
        app = self._app()
        async with app.storage.tenant(actor.tenant.id) as connection:
            entry = await queries.locked(connection, actor.tenant.id, entry_id)
            if entry is None:
                raise NotFound("There is no such entry in the archive.")
            archivable = self._archivable(actor, entry.entity)
            if archivable.restore is None:
                raise Problem(409, "not_restorable", f"A {archivable.label.lower()} cannot be restored.")
            if entry.restored_at is not None:
                raise Problem(409, "restored_already", "This was restored already.")
            name = await archivable.restore(connection, actor, entry.snapshot)
            await actions.note_restored(connection, actor, entry_id, app.clock.now())
            await self._record(
                connection, request, _action(entry.entity, "restored"), entry.entity, entry.key, name=name
            )
        return name

    # --- the tenant ---

    @property
    def can_export(self) -> bool:
        """Whether something keeps the file that an export makes."""
        return self._app().services.find(Media) is not None

    async def start_export(self, request: Request) -> Work:
        """Have everything of the tenant written into a file. One that is under way goes on."""
        actor = self._checked(request)
        app = self._app()
        if not self.can_export:
            raise Problem(
                409,
                "no_media",
                "Exports are kept by the plugin media, which does not run. There is `chatnation tenant export` too.",
            )
        work = Work(subject=actor.tenant.slug, requested_at=app.clock.now())
        async with app.storage.tenant(actor.tenant.id) as connection:
            await self._record(connection, request, "danger_zone.tenant.exported", TENANT, actor.tenant.slug)
        async with app.storage.system("enqueue the export of a tenant") as connection:
            payload = {"tenant_id": actor.tenant.id, "user_id": actor.user_id}
            begun = await app.jobs.enqueue(connection, EXPORT, payload, dedupe_key=str(actor.tenant.id))
            if begun:
                await self._board.put(export_of(actor.tenant.id), work)
        return (await self._board.get(export_of(actor.tenant.id))) or work

    async def export(self, actor: Actor) -> tuple[Work | None, str | None]:
        """The latest export, and a link to its file while there is one."""
        work = await self._board.get(export_of(actor.tenant.id))
        media = self._app().services.find(Media)
        if work is None or work.file is None or media is None:
            return work, None
        file = await media.find(actor.tenant.id, work.file)
        now = self._app().clock.now()
        if file is None or file.expires_at is None or file.expires_at <= now:
            return None, None
        return work, media.link(file, file.expires_at - now)

    async def delete_tenant(self, request: Request, slug: str, typed: str) -> str:
        """Have the tenant erased; gives the token of the page that tells how far it is, to whoever knows it."""
        actor = self._checked(request)
        self._check_own(actor, slug)
        _check_typed(typed, actor.tenant.name)
        app, token = self._app(), secrets.token_urlsafe(24)
        async with app.storage.tenant(actor.tenant.id) as connection:
            await self._record(connection, request, "danger_zone.tenant.deletion_requested", TENANT, slug)
        await self._board.put(deletion_of(token), Work(subject=actor.tenant.name, requested_at=app.clock.now()))
        async with app.storage.system("enqueue the deletion of a tenant") as connection:
            # Not `tenant_id`: the jobs of a tenant are deleted with it, and this is the one that does it.
            payload = {"tenant": slug, "board": deletion_of(token), "user_id": actor.user_id, "by": actor.email}
            if not await app.jobs.enqueue(connection, DELETE, payload, dedupe_key=slug):
                raise Problem(409, "under_way", "This organisation is being deleted already.")
        return token

    async def deletion(self, token: str) -> Work:
        """How far the deletion of a tenant is; for whoever has its link, because nobody is signed in any more then."""
        work = await self._board.get(deletion_of(token))
        if work is None:
            raise NotFound("There is no such deletion, or it was long ago.")
        return work

    # --- the rules ---

    def _checked(self, request: Request) -> Actor:
        actor: Actor = request.state.actor
        check_fresh(actor, self._app().clock.now())
        return actor

    def _check_own(self, actor: Actor, slug: str) -> None:
        if slug != actor.tenant.slug:
            raise NotFound("There is no such organisation, or it is not yours.")
        if actor.role != "super_admin":
            raise Problem(403, "not_allowed", "Only a super_admin deletes the organisation.")

    def _archivable(self, actor: Actor, entity: str) -> Archivable:
        found = self._archivables(actor).get(entity)
        if found is None:
            raise NotFound("There is no such kind of thing here.")
        if not actor.can(found.permission):
            raise Problem(403, "forbidden", f"This needs the permission {found.permission}.")
        return found

    def _archivables(self, actor: Actor) -> dict[str, Archivable]:
        enabled = self._app().enabled(actor.tenant.id)
        registered = self._app().resources.archivables
        return {entry.item.entity: entry.item for entry in registered if entry.plugin in enabled}

    async def _record(
        self, connection: AsyncConnection, request: Request, action: str, entity: str, key: str, **details: Any
    ) -> None:
        await audit_of(self._app()).record(connection, record_of(request, action, entity, key, **details))


_ACTIONS = {
    ("role", "deleted"): "danger_zone.role.deleted",
    ("role", "restored"): "danger_zone.role.restored",
    ("user", "deleted"): "danger_zone.user.deleted",
    ("user", "restored"): "danger_zone.user.restored",
}
"""Those of the core's own kinds, in full, so that a search for one finds who records it."""


def _action(entity: str, verb: str) -> str:
    """What the audit log calls it; the same for kinds that plugins add."""
    return _ACTIONS.get((entity, verb), f"danger_zone.{entity}.{verb}")


def _check_typed(typed: str, name: str) -> None:
    if typed.strip() != name.strip():
        raise Problem(422, "confirmation_wrong", f"Type “{name}” to confirm; nothing was deleted.")
