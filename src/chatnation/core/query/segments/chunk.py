"""The rows of one stretch of time as columns, in the order of events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Self

import numpy as np

from chatnation.core.query.frame import Coded, Mask, Numbers, Rows, Times
from chatnation.core.query.segments.column import Column, join_columns
from chatnation.core.query.segments.encoding import Part, decode, encode
from chatnation.core.query.segments.ids import Ids, join_ids
from chatnation.core.query.segments.sizes import is_large
from chatnation.core.query.segments.sources import ENDED as ENDED
from chatnation.core.query.segments.sources import LEAF as LEAF
from chatnation.core.query.segments.sources import SESSION as SESSION
from chatnation.core.query.segments.sources import TIME as TIME

VISIT = "visit"
"""The part that says which rows may be of one visit. Like TIME and LEAF every chunk has it; ENDED and SESSION, those
of sessions."""
IDS = frozenset({LEAF, VISIT, SESSION})
TIMES = frozenset({TIME, ENDED})
PROPERTIES = "properties."


class LeftOut(LookupError):
    """The column is too large to be copied; `left_out.read_left_out` gets it from the rows."""


class Chunk:
    """Columns of the rows of a tenant and a source, between two moments. Do not change what it gives.

    Fields are called as in questions: `event_name`, `properties.template.name`. A chunk that was loaded has only the
    parts that were wanted; asking for others raises KeyError. A property that no row has is missing in every row; one
    of `left_out` raises LeftOut.
    """

    __slots__ = ("_parts", "left_out", "size", "wanted")

    def __init__(
        self,
        size: int,
        parts: Mapping[str, Part | bytes],
        *,
        wanted: frozenset[str] | None = None,
        left_out: Collection[str] = (),
    ) -> None:
        self._parts = dict(parts)
        self.size = size
        self.wanted = wanted
        """The parts that were asked for when it was loaded; None: it has all."""
        self.left_out = frozenset(left_out)
        """Properties that some row has, and that are not copied."""

    @classmethod
    def empty(cls, wanted: frozenset[str] | None = None) -> Self:
        """No rows."""
        none = np.empty(0, np.int64)
        no_ids = Ids(np.empty(0, np.int32), np.empty((0, 2), np.uint64))
        return cls(0, {**dict.fromkeys(TIMES, none), **dict.fromkeys(IDS, no_ids)}, wanted=wanted)

    @property
    def time(self) -> Times:
        """Microseconds since 1970, never falling; of sessions: of their beginning."""
        return self._times(TIME)

    @property
    def ended(self) -> Times:
        """When each session ended, in microseconds since 1970."""
        return self._times(ENDED)

    @property
    def leafs(self) -> Ids:
        """The strongest id of who did each row: merges have to be resolved. MISSING where nobody is known."""
        return self._ids(LEAF)

    @property
    def visits(self) -> Ids:
        """A digest of project, channel, visitor and session hint: equal for a session and each event of it.

        An event belongs to the session of the same digest in whose time it lies; some sources of sessions leave out
        events by their names. MISSING where nobody is known.
        """
        return self._ids(VISIT)

    @property
    def sessions(self) -> Ids:
        """The id of each session."""
        return self._ids(SESSION)

    @property
    def parts(self) -> frozenset[str]:
        """Names of what it holds: times, ids and fields."""
        return frozenset(self._parts)

    @property
    def properties(self) -> frozenset[str]:
        """Paths of the properties that it holds: `template.name`."""
        return frozenset(name.removeprefix(PROPERTIES) for name in self._parts if name.startswith(PROPERTIES))

    def column(self, name: str) -> Coded:
        """A field as texts."""
        return self.part(name).coded()

    def numbers(self, name: str) -> Numbers:
        """A field as numbers."""
        return self.part(name).numbers()

    def part(self, name: str) -> Column:
        """A field as it is kept."""
        found = self._decoded(name)
        if found is None:
            if self.wanted is not None and name not in self.wanted:
                raise KeyError(name)
            if name in self.left_out:
                raise LeftOut(name)
            return Column.missing(self.size)
        assert isinstance(found, Column)
        return found

    def get(self, name: str) -> Part | None:
        """A part as it is kept, or None where the chunk does not hold it."""
        return self._decoded(name)

    def cut(self, start: int, end: int) -> Chunk:
        """The rows from `start` up to `end`, in microseconds since 1970."""
        low, high = np.searchsorted(self.time, (start, end)).tolist()
        if low == 0 and high == self.size:
            return self
        return self.take(slice(low, high))

    def take(self, rows: Rows | Mask | slice) -> Chunk:
        """Some of the rows, in their order."""
        taken = {name: _take(part, rows) for name, part in self._all().items()}
        return Chunk(len(self.time[rows]), taken, wanted=self.wanted, left_out=self.left_out)

    @classmethod
    def join(cls, chunks: Iterable[Chunk]) -> Chunk:
        """The rows of chunks of the same kind that follow each other in time and do not overlap, as one."""
        filled = [chunk for chunk in chunks if chunk.size]
        if len(filled) < 2:
            return filled[0] if filled else cls.empty()
        wanted = filled[0].wanted
        left_out = frozenset().union(*(chunk.left_out for chunk in filled))
        names = frozenset().union(*(chunk.parts for chunk in filled)) - left_out
        parts = {name: _join([chunk._of(name) for chunk in filled]) for name in names}
        return cls(sum(chunk.size for chunk in filled), parts, wanted=wanted, left_out=left_out)

    def without_large_columns(self) -> Chunk:
        """The same, with properties left out that are too large to be copied."""
        columns = {name: part.compact() for name, part in self._all().items() if isinstance(part, Column)}
        large = {name for name, column in columns.items() if name.startswith(PROPERTIES) and is_large(column)}
        if not large:
            return self
        parts = {name: part for name, part in self._parts.items() if name not in large}
        return Chunk(self.size, parts, wanted=self.wanted, left_out=self.left_out | large)

    def encode(self) -> dict[str, bytes]:
        """Each part as bytes."""
        return {name: part if isinstance(part, bytes) else encode(part) for name, part in self._parts.items()}

    def _times(self, name: str) -> Times:
        found = self._decoded(name)
        if not isinstance(found, np.ndarray):
            raise KeyError(name)
        return found

    def _ids(self, name: str) -> Ids:
        found = self._decoded(name)
        if not isinstance(found, Ids):
            raise KeyError(name)
        return found

    def _of(self, name: str) -> Part:
        if name in TIMES:
            return self._times(name)
        return self._ids(name) if name in IDS else self.part(name)

    def _all(self) -> dict[str, Part]:
        return {name: self._of(name) for name in self._parts}

    def _decoded(self, name: str) -> Part | None:
        found = self._parts.get(name)
        if isinstance(found, bytes):
            found = self._parts[name] = decode(found)
        return found


def _take(part: Part, rows: Rows | Mask | slice) -> Part:
    return part[rows] if isinstance(part, np.ndarray) else part.take(rows)


def _join(parts: Sequence[Part]) -> Part:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate([part for part in parts if isinstance(part, np.ndarray)])
    if isinstance(parts[0], Ids):
        return join_ids([part for part in parts if isinstance(part, Ids)])
    return join_columns([part for part in parts if isinstance(part, Column)])
