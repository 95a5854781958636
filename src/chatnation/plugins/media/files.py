"""What pages and API do with files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, NotFound, Problem, Slice, audit_of, record_of
from chatnation.plugins.media import actions, queries, serving, uploads
from chatnation.plugins.media.api import StoredFile
from chatnation.plugins.media.keeping import REMOVE, Keeper, Stores
from chatnation.plugins.media.links import read_ticket
from chatnation.plugins.media.queries import FileEntry, FileQuery, Usage
from chatnation.plugins.media.settings import MediaSettings

_UNKNOWN = "There is no such file, or the link to it is not whole."


class Files:
    """The files of whoever's tenant asks, and the way to them by link."""

    def __init__(
        self, app: Callable[[], App], stores: Callable[[], Stores], keeper: Keeper, settings: MediaSettings
    ) -> None:
        self._app = app
        self._stores = stores
        self._keeper = keeper
        self._settings = settings

    async def upload(self, request: Request) -> StoredFile:
        """Keep the file of a form."""
        return await uploads.take(self._app(), self._keeper, request, most=self._settings.max_bytes)

    async def page(self, request: Request, query: FileQuery) -> Slice[FileEntry]:
        tenant_id = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            return await queries.page(connection, tenant_id, query)

    async def usage(self, request: Request) -> Usage:
        tenant_id = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            return await queries.usage(connection, tenant_id)

    async def one(self, request: Request, file_id: UUID) -> FileEntry:
        """A file that is listed. Raises NotFound."""
        tenant_id = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await queries.one(connection, tenant_id, file_id)
        if found is None:
            raise NotFound("There is no such file.")
        return found

    def now(self) -> datetime:
        """What time it is for the app."""
        return self._app().clock.now()

    def link(self, tenant_id: int, file: FileEntry | StoredFile, seconds: int | None = None) -> str:
        """An address that opens the file, for `seconds` or as long as the settings say."""
        seconds = self._settings.link_seconds if seconds is None else seconds
        if seconds > self._settings.longest_link_seconds:
            longest = self._settings.longest_link_seconds
            raise Problem(422, "link_too_long", f"A link is good for at most {longest:,} seconds.")
        named = StoredFile(
            file.id, tenant_id, file.filename, file.content_type, file.size, file.created_at, file.expires_at
        )
        return self._keeper.link(named, timedelta(seconds=seconds))

    async def delete(self, request: Request, file_id: UUID) -> str:
        """Delete a file that is listed; gives its name. Raises NotFound."""
        app, tenant_id = self._app(), request.state.actor.tenant.id
        async with app.storage.tenant(tenant_id) as connection:
            if await queries.one(connection, tenant_id, file_id) is None:
                raise NotFound("There is no such file.")
            name = await actions.delete_file(connection, tenant_id, file_id)
            await audit_of(app).record(connection, record_of(request, "media.file.deleted", "file", file_id))
        async with app.storage.system("have a deleted file removed") as connection:
            await app.jobs.enqueue(connection, REMOVE, {}, dedupe_key="now")
        return name or ""

    async def open(self, request: Request) -> Response:
        """Send the file that a link leads to, to anybody who has it. Raises NotFound, or a 410 when it is too old."""
        app = self._app()
        ticket = read_ticket(request.path_params["ticket"])
        if ticket is None:
            raise NotFound(_UNKNOWN)
        async with app.storage.system("a link names a file, not its tenant") as connection:
            row = await queries.opened_by_link(connection, ticket.file_id)
        if row is None or not self._keeper.links.vouches(ticket, row.tenant_id):
            raise NotFound(_UNKNOWN)
        now = app.clock.now()
        if ticket.expires_at <= now or (row.expires_at is not None and row.expires_at <= now):
            raise Problem(410, "link_expired", "This link is too old. Ask for a new one where you got it.")
        if "media" not in app.enabled(row.tenant_id):
            raise NotFound(_UNKNOWN)
        if row.store not in self._stores():
            raise Problem(503, "store_missing", "The store that has this file is not there now.")
        response = await serving.send(
            row,
            self._stores()[row.store],
            request.method,
            request.headers,
            download="download" in request.query_params,
        )
        if serving.opens(response):
            response.background = BackgroundTask(self._note_opened, row.id)
        return response

    async def _note_opened(self, file_id: UUID) -> None:
        app = self._app()
        async with app.storage.system("a file was opened by link") as connection:
            await actions.note_opened(connection, file_id, app.clock.now())
