"""What the media plugin reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Slice, after_cursor, slice_rows
from chatnation.plugins.media.api import StoredFile
from chatnation.plugins.media.models import files


class FileQuery(BaseModel):
    """Which files to list."""

    name: str | None = Field(None, max_length=200, description="Part of the name.")
    kind: str | None = Field(None, max_length=100, description="Content type, or its first part, such as `image`.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(50, ge=1, le=100, description="Files in a page.")

    def filters(self) -> dict[str, str]:
        """The filters that are set, as query parameters."""
        return {name: value for name in ("name", "kind") if (value := getattr(self, name))}


class FileEntry(BaseModel):
    """A file."""

    id: UUID
    filename: str = Field(description="What it is called; its address does not say it.")
    content_type: str = Field(description="What its content says that it is.")
    size: int = Field(description="In bytes.")
    purpose: str = Field(description="What it is used for, as whoever uploaded it said.")
    created_at: datetime
    expires_at: datetime | None = Field(description="When it is deleted by itself.")
    uploaded_by: str | None = Field(description="Name of the user; null for programs, and for somebody who is gone.")
    times_opened: int = Field(description="How often its content was fetched from the beginning.")
    last_opened_at: datetime | None


class Usage(BaseModel):
    """How much there is."""

    files: int
    size: int = Field(description="In bytes.")


_PLAIN = [files.c[name] for name in FileEntry.model_fields if name != "uploaded_by"]
_UPLOADER: ColumnElement[Any] = literal_column("(SELECT u.name FROM users u WHERE u.id = media.files.uploaded_by)")
_STORED = [files.c[name] for name in StoredFile.__dataclass_fields__]


async def page(connection: AsyncConnection, tenant_id: int, query: FileQuery) -> Slice[FileEntry]:
    """A page of a tenant's files, the newest first."""
    statement = select(*_PLAIN, _UPLOADER.label("uploaded_by")).where(files.c.tenant_id == tenant_id, files.c.listed)
    if query.name:
        statement = statement.where(files.c.filename.icontains(query.name, autoescape=True))
    if query.kind:
        kind = files.c.content_type
        statement = statement.where(
            kind == query.kind if "/" in query.kind else kind.startswith(f"{query.kind}/", autoescape=True)
        )
    statement = after_cursor(statement, [files.c.created_at, files.c.id], query.after, limit=query.limit)
    rows = [FileEntry.model_validate(dict(row)) for row in (await connection.execute(statement)).mappings()]
    return slice_rows(rows, query.limit, lambda row: (row.created_at, row.id))


async def one(connection: AsyncConnection, tenant_id: int, file_id: UUID) -> FileEntry | None:
    """A file that is listed."""
    statement = select(*_PLAIN, _UPLOADER.label("uploaded_by")).where(
        files.c.tenant_id == tenant_id, files.c.id == file_id, files.c.listed
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return FileEntry.model_validate(dict(row)) if row else None


async def stored(connection: AsyncConnection, tenant_id: int, file_id: UUID) -> StoredFile | None:
    """A file, listed or not."""
    statement = select(*_STORED).where(files.c.tenant_id == tenant_id, files.c.id == file_id)
    row = (await connection.execute(statement)).one_or_none()
    return StoredFile(*row) if row else None


async def usage(connection: AsyncConnection, tenant_id: int) -> Usage:
    """How many files a tenant has, those of plugins included, and how large they are together."""
    statement = select(func.count(), func.coalesce(func.sum(files.c.size), 0)).where(files.c.tenant_id == tenant_id)
    count, size = (await connection.execute(statement)).one()
    return Usage(files=count, size=int(size))


async def opened_by_link(connection: AsyncConnection, file_id: UUID) -> Any | None:
    """The row of a file, whoever's it is, for somebody who came with a link; not of a tenant that is switched off."""
    return (await connection.execute(_BY_LINK, {"id": file_id})).one_or_none()


_BY_LINK = text("SELECT f.* FROM media.files f JOIN tenants t ON t.id = f.tenant_id WHERE f.id = :id AND t.active")
