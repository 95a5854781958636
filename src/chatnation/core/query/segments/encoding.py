"""Columns as bytes, and back. Little-endian; the first byte says what kind of column it is.

A column of codes keeps only what it needs: nothing where no row has a value, one value where all rows have the same,
the codes of all rows, or the numbers of those rows that have a value and their codes.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.frame import MISSING, Codes, Times
from chatnation.core.query.segments.column import Column, Values
from chatnation.core.query.segments.ids import Ids, id_array, id_bytes

FORMAT = 1
"""The number of the way in which segments are written, here and in what gathers their rows.

Raise it with every change after which a segment that is there would be misread, or lacks something: those of other
numbers count as never built. Their rows are read instead, and the job builds them anew.
"""

Part = Times | Column | Ids
"""What a chunk is made of: times, values or ids, one a row."""

_TIMES, _CODES = 0, 1
_EMPTY, _CONSTANT, _DENSE, _SPARSE = range(4)
_TEXTS, _INTEGERS, _FLOATS, _IDS = range(4)
_SPARSE_BELOW = 0.4
"""Share of rows with a value under which the numbers of these rows take less room than the codes of all."""

_TIME_HEADER = struct.Struct("<BBxxIqq")
"""Kind, width of a pause, rows, first time, shortest pause, which is taken off all of them."""
_CODE_HEADER = struct.Struct("<BBBBIII")
"""Kind, layout, width of a code, kind of values, rows, rows with a value, values."""
_WIDTHS: dict[int, str] = {1: "<u1", 2: "<u2", 4: "<u4", 8: "<u8"}
_SEPARATOR = "\0"
"""No text in PostgreSQL has it."""


def encode(part: Part) -> bytes:
    """A column as bytes."""
    if isinstance(part, np.ndarray):
        return _encode_times(part)
    part = part.compact()
    kind, values = _encode_ids(part) if isinstance(part, Ids) else _encode_values(part.values)
    count = len(part.ids) if isinstance(part, Ids) else len(part.values)
    layout, width, present, codes = _encode_codes(part.codes, count)
    return _CODE_HEADER.pack(_CODES, layout, width, kind, len(part.codes), present, count) + codes + values


def decode(blob: bytes) -> Part:
    """The column that became these bytes."""
    if blob[0] == _TIMES:
        return _decode_times(blob)
    _, layout, width, kind, rows, present, count = _CODE_HEADER.unpack_from(blob)
    codes, end = _decode_codes(blob, layout, width, rows, present)
    if kind == _IDS:
        return Ids(codes, id_array((blob[end:],)))
    return Column(codes, _decode_values(blob, end, kind, count))


def _encode_times(times: Times) -> bytes:
    pauses = np.diff(times)
    # Sessions end in another order than they begin, so there are pauses below zero.
    least = int(pauses.min(initial=0))
    width = _width(int(pauses.max(initial=0)) - least)
    first = int(times[0]) if len(times) else 0
    return (
        _TIME_HEADER.pack(_TIMES, width, len(times), first, least) + (pauses - least).astype(_WIDTHS[width]).tobytes()
    )


def _decode_times(blob: bytes) -> Times:
    _, width, rows, first, least = _TIME_HEADER.unpack_from(blob)
    times = np.empty(rows, np.int64)
    if rows:
        times[0] = first
        times[1:] = np.frombuffer(blob, _WIDTHS[width], rows - 1, _TIME_HEADER.size)
        times[1:] += least
        np.cumsum(times, out=times)
    return times


def _encode_codes(codes: Codes, count: int) -> tuple[int, int, int, bytes]:
    """Layout, width, rows with a value, bytes."""
    has = codes != MISSING
    present = int(np.count_nonzero(has))
    if not present:
        return _EMPTY, 1, 0, b""
    if present == len(codes) and count == 1:
        return _CONSTANT, 1, present, b""
    if present < _SPARSE_BELOW * len(codes):
        rows = np.flatnonzero(has)
        width = _width(max(len(codes), count))
        both = np.concatenate((np.diff(rows, prepend=0), codes[rows]))
        return _SPARSE, width, present, both.astype(_WIDTHS[width]).tobytes()
    # One more, so that rows without a value are 0.
    width = _width(count)
    return _DENSE, width, present, (codes + 1).astype(_WIDTHS[width]).tobytes()


def _decode_codes(blob: bytes, layout: int, width: int, rows: int, present: int) -> tuple[Codes, int]:
    """The codes, and where their bytes end."""
    start, kind = _CODE_HEADER.size, _WIDTHS[width]
    if layout == _DENSE:
        codes = np.frombuffer(blob, kind, rows, start).astype(np.int32)
        codes -= 1
        return codes, start + rows * width
    if layout == _CONSTANT:
        return np.zeros(rows, np.int32), start
    codes = np.full(rows, MISSING, np.int32)
    if layout == _EMPTY:
        return codes, start
    both = np.frombuffer(blob, kind, 2 * present, start)
    codes[np.cumsum(both[:present], dtype=np.intp)] = both[present:]
    return codes, start + 2 * present * width


def _encode_ids(part: Ids) -> tuple[int, bytes]:
    return _IDS, id_bytes(part.ids)


def _encode_values(values: Values) -> tuple[int, bytes]:
    if isinstance(values, list):
        return _TEXTS, _SEPARATOR.join(values).encode()
    return (_INTEGERS if values.dtype == np.int64 else _FLOATS), values.astype(values.dtype.newbyteorder("<")).tobytes()


def _decode_values(blob: bytes, start: int, kind: int, count: int) -> Values:
    if kind == _TEXTS:
        return blob[start:].decode().split(_SEPARATOR) if count else []
    numbers: NDArray[Any] = np.frombuffer(blob, "<i8" if kind == _INTEGERS else "<f8", count, start)
    return numbers.astype(numbers.dtype.newbyteorder("="))


def _width(greatest: int) -> int:
    return next(width for width in _WIDTHS if greatest < 1 << 8 * width)
