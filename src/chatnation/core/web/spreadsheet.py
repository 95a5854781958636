"""Tables as CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Sequence

from starlette.responses import Response, StreamingResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads UTF-8 as the machine's old code page."""


def safe_cell(value: object) -> str:
    """`value` as a cell that no spreadsheet runs as a formula: a leading `=`, `+`, `-` or `@` gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    if text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A CSV document with a header line (RFC 4180: CRLF, quotes doubled)."""
    return _BYTE_ORDER_MARK + _lines([columns]) + _lines(rows)


def csv_response(filename: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """`rows` as a download called `filename`."""
    return Response(csv_text(columns, rows), media_type="text/csv; charset=utf-8", headers=_download(filename))


def csv_stream(filename: str, columns: Sequence[str], chunks: AsyncIterator[Sequence[Sequence[object]]]) -> Response:
    """As `csv_response`, for tables too large to hold: `chunks` gives some rows at a time."""

    async def lines() -> AsyncIterator[str]:
        yield _BYTE_ORDER_MARK + _lines([columns])
        async for rows in chunks:
            yield _lines(rows)

    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=_download(filename))


def _lines(rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _download(filename: str) -> dict[str, str]:
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", filename)
    return {"Content-Disposition": f'attachment; filename="{safe}"'}
