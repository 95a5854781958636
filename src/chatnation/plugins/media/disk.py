"""The store that is built in: a folder."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from chatnation.plugins.media.api import FileMissing

_KEY = re.compile(r"[A-Za-z0-9]+(?:/[A-Za-z0-9]+)*")
_PIECE = 256 * 1024


class DiskStore:
    """Files below `folder`, which all processes that serve must see. Nobody but us may read them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, key: str, content: BinaryIO, content_type: str) -> None:
        await asyncio.to_thread(self._write, self._path(key), content)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        try:
            file = await asyncio.to_thread(self._path(key).open, "rb")
        except FileNotFoundError:
            raise FileMissing(f"The file {key} is not in the media folder.") from None
        try:
            await asyncio.to_thread(file.seek, start)
            left = end - start if end is not None else None
            while left is None or left > 0:
                piece = await asyncio.to_thread(file.read, _PIECE if left is None else min(_PIECE, left))
                if not piece:
                    return
                left = None if left is None else left - len(piece)
                yield piece
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("this is no key of ours")
        return self._folder / key

    def _write(self, path: Path, content: BinaryIO) -> None:
        """Under another name first, so that half a file is never found under its own."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{uuid4().hex}.part")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
                shutil.copyfileobj(content, target, _PIECE)
                target.flush()
                os.fsync(target.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
