"""Takes a file out of a request, whatever way it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.requests import Request

from chatnation import App, Problem, audit_of, record_of
from chatnation.plugins.media.api import StoredFile
from chatnation.plugins.media.kinds import KindRefused, clean_name, sniff

if TYPE_CHECKING:
    from chatnation import Actor
    from chatnation.plugins.media.keeping import Keeper

FORM_BYTES = 64 * 1024
"""What a form may hold besides the file."""
FIELD = "file"
_LONGEST_PURPOSE = 50


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came: on disk, unless it is small."""

    content: BinaryIO
    filename: str
    purpose: str


async def take(app: App, keeper: Keeper, request: Request, *, most: int) -> StoredFile:
    """Keep the file of a form, if it is of a kind that is taken and at most `most` bytes. Raises a `Problem`."""
    actor: Actor = request.state.actor
    async with _uploaded(request, most) as upload:
        try:
            kind = await asyncio.to_thread(sniff, upload.content, upload.filename)
        except KindRefused as error:
            raise Problem(415, "type_refused", str(error)) from None

        async def note(connection: AsyncConnection, file: StoredFile) -> None:
            details: dict[str, Any] = {"content_type": file.content_type, "size": file.size, "purpose": upload.purpose}
            record = record_of(request, "media.file.uploaded", "file", file.id, **details)
            await audit_of(app).record(connection, record)

        return await keeper.upload(
            actor.tenant.id,
            upload.content,
            clean_name(upload.filename, kind),
            kind,
            purpose=upload.purpose,
            user_id=actor.user_id,
            then=note,
        )


@asynccontextmanager
async def _uploaded(request: Request, most: int) -> AsyncIterator[Upload]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Problem(415, "unsupported_media_type", f"Send a form (multipart/form-data) with a field “{FIELD}”.")
    # Pieces go to disk as they arrive, once there are many; a body that is too long is refused while it arrives.
    async with request.form(max_files=5, max_fields=20, max_part_size=FORM_BYTES) as form:
        given = form.getlist(FIELD)
        if len(given) != 1 or not isinstance(given[0], UploadFile):
            raise Problem(422, "file_missing", f"Send one file, in the field “{FIELD}”.")
        file = given[0]
        if not file.size:
            raise Problem(422, "file_empty", "The file is empty.")
        if file.size > most:
            raise too_large(most)
        purpose = form.get("purpose", "")
        if not isinstance(purpose, str) or len(purpose) > _LONGEST_PURPOSE or not purpose.isprintable():
            raise Problem(422, "invalid_request", f"The purpose is at most {_LONGEST_PURPOSE} plain characters.")
        yield Upload(file.file, file.filename or "", purpose.strip())


def too_large(most: int) -> Problem:
    """The answer to a file that is larger than is taken."""
    return Problem(413, "file_too_large", f"A file may have at most {most:,} bytes.")
