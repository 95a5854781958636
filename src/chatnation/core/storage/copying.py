"""Rows in the binary format of COPY.

asyncpg writes that too, one value after the other. But the rows of a batch are alike: whoever knows which columns
change together names them as a group, and each different group of values is written once.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from chatnation.core.storage.codecs import encode_address, encode_json

if TYPE_CHECKING:
    import asyncpg

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_TRUE, _FALSE = b"\0\0\0\x01\x01", b"\0\0\0\x01\0"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_count = struct.Struct(">h").pack
_length = struct.Struct(">i").pack
_int4 = struct.Struct(">ii").pack
_int8 = struct.Struct(">iq").pack


class Unwritable(ValueError):
    """A value that its column cannot hold."""


def _sized(value: bytes) -> bytes:
    return _length(len(value)) + value


_WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "bool": lambda value: _TRUE if value else _FALSE,
    "inet": lambda value: _sized(encode_address(value)),
    "int4": lambda value: _int4(4, value),
    "jsonb": lambda value: _sized(encode_json(value)),
    "text": lambda value: _sized(value.encode()),
    "timestamptz": lambda value: _int8(8, (value - _EPOCH) // _MICROSECOND),
    "uuid": lambda value: b"\0\0\0\x10" + value.bytes,
}
"""How values of a type are written, but null: length and value."""


@dataclass(frozen=True, slots=True)
class Group:
    """Columns by name, with their types. `alike`: many rows have the same values in all of them."""

    columns: Mapping[str, str]
    alike: bool = True

    def written(self, objects: Sequence[object]) -> Iterable[bytes]:
        """The group's part of each row; values are attributes of the row's object."""
        if not self.alike:
            columns = [_column(name, type_, objects) for name, type_ in self.columns.items()]
            return map(b"".join, zip(*columns, strict=True))
        if len(self.columns) == 1:
            return _column(*next(iter(self.columns.items())), objects)
        parts = _Parts(tuple(_WRITERS[type_] for type_ in self.columns.values()))
        return map(parts.__getitem__, map(attrgetter(*self.columns), objects))


class _Parts(dict[tuple[object, ...], bytes]):
    """Groups of values, as they are written."""

    def __init__(self, writers: Sequence[Callable[[Any], bytes]]) -> None:
        self._writers = writers

    def __missing__(self, values: tuple[object, ...]) -> bytes:
        part = self[values] = b"".join(
            [_NULL if value is None else write(value) for write, value in zip(self._writers, values, strict=True)]
        )
        return part


def _column(name: str, type_: str, objects: Sequence[object]) -> list[bytes]:
    write = _WRITERS[type_]
    return [_NULL if value is None else write(value) for value in map(attrgetter(name), objects)]


async def _once(data: bytes) -> AsyncIterator[bytes]:
    """`data` as asyncpg takes it; plain bytes would be the path of a file to it."""
    yield data


class RowWriter:
    """Copies objects into tables that have the columns of `groups`."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self._groups: Final = groups
        self.columns: Final = tuple(name for group in groups for name in group.columns)

    async def copy(self, connection: asyncpg.Connection[Any], table: str, objects: Sequence[object]) -> None:
        """Add a row for each object. Raises Unwritable before anything is sent."""
        rows = self.write(objects)
        await connection.copy_to_table(table, source=_once(rows), columns=self.columns, format="binary")

    def write(self, objects: Sequence[object]) -> bytes:
        """The rows as COPY reads them. Raises Unwritable."""
        try:
            parts = [group.written(objects) for group in self._groups]
            rows = zip(repeat(_count(len(self.columns)), len(objects)), *parts, strict=True)
            return b"".join(chain((_HEAD,), chain.from_iterable(rows), (_END,)))
        except (struct.error, AttributeError, TypeError, ValueError, OverflowError) as error:
            raise Unwritable(f"a value does not suit its column: {error}") from error
