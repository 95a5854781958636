"""Keeps files: into a store, then into the table."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import App, ConfigurationError, link
from chatnation.plugins.media import actions, queries
from chatnation.plugins.media.api import MediaStore, StoredFile, StoreDriver
from chatnation.plugins.media.disk import DiskStore
from chatnation.plugins.media.links import Links
from chatnation.plugins.media.settings import DISK, MediaSettings

if TYPE_CHECKING:
    from chatnation.plugins.media.kinds import Kind

REMOVE = "media.remove_doomed"
_UNFINISHED = timedelta(hours=1)
"""An upload that is not finished after this long was cut off; what reached the store is removed."""


class Stores:
    """The stores of an instance by name; each is opened when it is first needed."""

    def __init__(self, drivers: Mapping[str, StoreDriver], chosen: str) -> None:
        self.chosen = chosen
        self._drivers = drivers
        self._open: dict[str, MediaStore] = {}
        if chosen not in drivers:
            known = ", ".join(sorted(drivers))
            raise ConfigurationError(f"CHATNATION_MEDIA_STORE is {chosen}, which no plugin brings; there is {known}")

    def __contains__(self, name: str) -> bool:
        return name in self._drivers

    def __getitem__(self, name: str) -> MediaStore:
        if name not in self._open:
            self._open[name] = self._drivers[name].open()
        return self._open[name]

    @classmethod
    def of(cls, app: App, settings: MediaSettings, drivers: list[StoreDriver]) -> Stores:
        folder = settings.folder or app.settings.data_dir / "media"
        disk = StoreDriver(DISK, lambda: DiskStore(folder))
        return cls({driver.name: driver for driver in (disk, *drivers)}, settings.store)


class Keeper:
    """The service `Media`, and what uploads go through.

    The bytes go first: they are noted as to be removed before they reach the store, and spared in the transaction that
    names them in the table. So whatever breaks in between, no file is in the table that no store has, and none stays
    in a store that the table does not name.
    """

    def __init__(self, app: Callable[[], App], stores: Callable[[], Stores]) -> None:
        self._app = app
        self._stores = stores

    async def keep(
        self,
        tenant_id: int,
        content: BinaryIO,
        filename: str,
        content_type: str,
        *,
        purpose: str,
        user_id: int | None = None,
        expires_at: datetime | None = None,
        listed: bool = True,
        then: Callable[[AsyncConnection, StoredFile], object] | None = None,
    ) -> StoredFile:
        """As the service says; `then` gives a coroutine that is awaited in the transaction that names the file."""
        app, stores = self._app(), self._stores()
        now = app.clock.now()
        place = stores.chosen, f"{tenant_id}/{secrets.token_hex(20)}"
        async with app.storage.system("a file on its way into a store") as connection:
            await actions.doom(connection, place, now + _UNFINISHED)
        digest, size = await asyncio.to_thread(_measure, content)
        await stores[stores.chosen].put(place[1], content, content_type)
        file = StoredFile(uuid4(), tenant_id, filename, content_type, size, now, expires_at)
        async with app.storage.system("a file that reached its store") as connection:
            await actions.insert_file(
                connection,
                id=file.id,
                tenant_id=tenant_id,
                filename=filename,
                content_type=content_type,
                size=size,
                created_at=now,
                expires_at=expires_at,
                uploaded_by=user_id,
                listed=listed,
                purpose=purpose,
                store=place[0],
                key=place[1],
                content_hash=digest,
            )
            await actions.spare(connection, place)
            if then is not None:
                await then(connection, file)  # type: ignore[misc]
        return file

    async def upload(
        self,
        tenant_id: int,
        content: BinaryIO,
        filename: str,
        kind: Kind,
        *,
        purpose: str,
        user_id: int | None,
        then: Callable[[AsyncConnection, StoredFile], object],
    ) -> StoredFile:
        """Keep what somebody uploaded, once its kind is known."""
        return await self.keep(
            tenant_id, content, filename, kind.content_type, purpose=purpose, user_id=user_id, then=then
        )

    async def find(self, tenant_id: int, file_id: UUID) -> StoredFile | None:
        async with self._app().storage.tenant(tenant_id) as connection:
            return await queries.stored(connection, tenant_id, file_id)

    def link(self, file: StoredFile, lasts: timedelta) -> str:
        ticket = self.links.make(file.tenant_id, file.id, self._app().clock.now() + lasts)
        return link(self._app().settings, f"/media/{ticket}/{quote(file.filename)}")

    async def delete(self, connection: AsyncConnection, tenant_id: int, file_id: UUID) -> bool:
        deleted = await actions.delete_file(connection, tenant_id, file_id) is not None
        if deleted:
            await self._app().jobs.enqueue(connection, REMOVE, {}, dedupe_key="now")
        return deleted

    @property
    def links(self) -> Links:
        """What makes links with the secret of this instance."""
        secret = self._app().settings.secret_key
        if secret is None:
            raise ConfigurationError("Links need CHATNATION_SECRET_KEY.")
        return Links(secret.get_secret_value())


def _measure(content: BinaryIO) -> tuple[bytes, int]:
    """SHA-256 and size; leaves `content` at its beginning."""
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").digest()  # type: ignore[arg-type]
    size = content.tell()
    content.seek(0)
    return digest, size
