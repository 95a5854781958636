"""Sends a file: whole or in part, so that no browser mistakes it for a page of ours."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from chatnation import Problem
from chatnation.plugins.media.api import FileMissing, MediaStore
from chatnation.plugins.media.kinds import may_be_shown

POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'; sandbox"
"""For the rare browser that takes a file for a page: it may do nothing there, and is nobody."""
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def send(row: Any, store: MediaStore, method: str, asked: Headers, *, download: bool) -> Response:
    """The answer to a request for the file of `row`. Raises a `Problem` where the store does not have it."""
    headers = _headers(row, download=download)
    if _is_known(asked, headers["ETag"], row.created_at):
        return Response(status_code=304, headers={name: headers[name] for name in ("ETag", "Cache-Control")})
    span = _span(asked, row.size, headers["ETag"])
    if span is None:
        beyond = {"Content-Range": f"bytes */{row.size}"}
        raise Problem(416, "range_not_satisfiable", "The file has no such part.", headers=beyond)
    start, end = span
    status = 200
    if (start, end) != (0, row.size):
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{row.size}"
    headers["Content-Length"] = str(end - start)
    if method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(await _begun(store.read(row.key, start, end)), status_code=status, headers=headers)


def opens(response: Response) -> bool:
    """Whether an answer sends the file from its beginning, which counts as opening it."""
    return isinstance(response, StreamingResponse) and response.headers.get("Content-Range", "bytes 0-").startswith(
        "bytes 0-"
    )


async def _begun(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """`pieces`, the first of which is there already: a file that is missing is noticed before the answer begins."""
    try:
        first = await anext(pieces, b"")
    except FileMissing:
        raise Problem(404, "file_missing", "This file is lost.") from None

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return all_of_them()


def _headers(row: Any, *, download: bool) -> dict[str, str]:
    shown = not download and may_be_shown(row.content_type)
    ascii_name = re.sub(r'[^ -~]|["\\%]', "_", row.filename)
    name = f"filename=\"{ascii_name}\"; filename*=UTF-8''{quote(row.filename, safe='')}"
    return {
        "Content-Type": row.content_type,
        "Content-Disposition": f"{'inline' if shown else 'attachment'}; {name}",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Accept-Ranges": "bytes",
        "ETag": f'"{row.content_hash.hex()[:32]}"',
        "Last-Modified": format_datetime(row.created_at, usegmt=True),
        # A copy is asked about each time, so that one that was deleted, or whose link is too old, is not shown.
        "Cache-Control": "private, no-cache",
    }


def _is_known(asked: Headers, etag: str, created_at: datetime) -> bool:
    if (known := asked.get("if-none-match")) is not None:
        return known.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in known.split(",")}
    if since := asked.get("if-modified-since"):
        with suppress(ValueError, TypeError, OverflowError):
            return created_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    return False


def _span(asked: Headers, size: int, etag: str) -> tuple[int, int] | None:
    """From and up to which byte is sent; None where nothing can be. Several parts at once are answered with all."""
    match = _RANGE.fullmatch(asked.get("range", "").replace(" ", ""))
    if match is None or match.group(1, 2) == ("", "") or asked.get("if-range", etag) != etag:
        return 0, size
    first, last = match.group(1, 2)
    if not first:
        return (max(0, size - int(last)), size) if int(last) else None
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < int(first):
        return 0, size
    return (int(first), end) if int(first) < size else None
