"""What other plugins may use of the media plugin: keep files with it, or bring a store for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import ChatnationError


class FileMissing(ChatnationError):
    """A store does not have what it should have."""


class MediaStore(Protocol):
    """Keeps bytes under keys. Keys are ours: letters, digits and slashes, unguessable, never used twice."""

    async def put(self, key: str, content: BinaryIO, content_type: str) -> None:
        """Keep what `content` holds from its position to its end. It is there for every process once this returns."""

    def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to but without `end`, in pieces. Raises FileMissing before the first one."""

    async def delete(self, key: str) -> None:
        """Remove it; nothing happens if it is not there."""


@dataclass(frozen=True, slots=True)
class StoreDriver:
    """A store that an operator may choose by `CHATNATION_MEDIA_STORE`; `open()` is called once, when first needed."""

    name: str
    open: Callable[[], MediaStore]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept. `size` is in bytes, `content_type` what its content says."""

    id: UUID
    tenant_id: int
    filename: str
    content_type: str
    size: int
    created_at: datetime
    expires_at: datetime | None


class Media(Protocol):
    """The service that keeps files for other plugins."""

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
    ) -> StoredFile:
        """Keep a file that the plugin made itself: of any size and type, always downloaded, never shown by a browser.

        Files that are not `listed` are on no page and in no list; whoever has no link does not reach them.
        """

    async def find(self, tenant_id: int, file_id: UUID) -> StoredFile | None:
        """A file of the tenant; None if there is no such file any more."""

    def link(self, file: StoredFile, lasts: timedelta) -> str:
        """An address that opens the file for so long, for whoever knows it."""

    async def delete(self, connection: AsyncConnection, tenant_id: int, file_id: UUID) -> bool:
        """Delete a file in the caller's transaction, its bytes after the commit; says whether there was one."""
