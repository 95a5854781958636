"""The API of files."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import Route
from chatnation.plugins.media.files import Files
from chatnation.plugins.media.queries import FileEntry, FileQuery
from chatnation.plugins.media.settings import MediaSettings
from chatnation.plugins.media.uploads import FORM_BYTES

VIEW, UPLOAD, DELETE = "media.view", "media.upload", "media.delete"


class UploadForm(BaseModel):
    """A file, and what it is for."""

    file: bytes = Field(description="The file.", json_schema_extra={"format": "binary"})
    purpose: str = Field("", max_length=50, description="What it is used for, in a word.")


class UploadedFile(BaseModel):
    """A file that was just uploaded."""

    id: UUID
    url: str = Field(description="Opens the file for a while, for anybody who knows it; make others as needed.")
    filename: str = Field(description="Its name, as it was cleaned.")
    content_type: str = Field(description="What its content says that it is.")
    size: int = Field(description="In bytes.")


class FileList(BaseModel):
    """Files, newest first."""

    items: list[FileEntry]
    next_cursor: str | None


class LinkRequest(BaseModel):
    """How long a link shall be good."""

    seconds: int | None = Field(None, ge=1, le=10 * 366 * 86_400, description="By default as the settings say.")


class FileLink(BaseModel):
    """A link that opens a file for anybody who knows it."""

    url: str
    expires_at: datetime


class MediaRoutes:
    """Everything under `/api/media`."""

    def __init__(self, files: Files, settings: MediaSettings) -> None:
        self._files = files
        self._settings = settings

    def routes(self) -> list[Route]:
        file = "/{file:uuid}"
        return [
            Route(
                "POST",
                "/upload",
                self.upload,
                UPLOAD,
                form=UploadForm,
                response=UploadedFile,
                status=201,
                max_bytes=self._settings.max_bytes + FORM_BYTES,
            ),
            Route("GET", "", self.list, VIEW, query=FileQuery, response=FileList),
            Route("GET", file, self.show, VIEW, response=FileEntry),
            Route("POST", f"{file}/link", self.link, VIEW, body=LinkRequest, response=FileLink),
            Route("DELETE", file, self.delete, DELETE, status=204),
        ]

    async def upload(self, request: Request) -> UploadedFile:
        """Keep a file. What it is, is found out from its content; its name is not its address."""
        kept = await self._files.upload(request)
        return UploadedFile(
            id=kept.id,
            url=self._files.link(kept.tenant_id, kept),
            filename=kept.filename,
            content_type=kept.content_type,
            size=kept.size,
        )

    async def list(self, request: Request, query: FileQuery) -> FileList:
        """The tenant's files."""
        found = await self._files.page(request, query)
        return FileList(items=found.items, next_cursor=found.next_cursor)

    async def show(self, request: Request) -> FileEntry:
        """One file, without its content."""
        return await self._files.one(request, request.path_params["file"])

    async def link(self, request: Request, body: LinkRequest) -> FileLink:
        """A link that opens the file for a while, without signing in: for WhatsApp, or a browser."""
        file = await self._files.one(request, request.path_params["file"])
        seconds = body.seconds or self._settings.link_seconds
        url = self._files.link(request.state.actor.tenant.id, file, seconds)
        return FileLink(url=url, expires_at=self._files.now() + timedelta(seconds=seconds))

    async def delete(self, request: Request) -> None:
        """Delete the file; links to it are void at once."""
        await self._files.delete(request, request.path_params["file"])
