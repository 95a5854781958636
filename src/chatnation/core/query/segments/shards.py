"""Rows that a frame is put together from: stretches of chunks, and what of a chunk's columns is kept between questions.

Columns of different chunks have different codes for the same value. So each kind of value has numbers that hold for all
chunks (`TextNumbers`, `IdNumbers`), and of each column is kept which number each of its codes is.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chatnation.core.query.frame import MISSING, Codes, Floats, Mask, Numbers, Rows, Times
from chatnation.core.query.segments.cache import Cache
from chatnation.core.query.segments.column import Column
from chatnation.core.query.segments.encoding import Part
from chatnation.core.query.segments.id_numbers import IdNumbers
from chatnation.core.query.segments.ids import Ids
from chatnation.core.query.segments.texts import TextNumbers

_NO_CODES = np.array([MISSING], np.int32)


@dataclass(frozen=True, slots=True)
class Shard:
    """Some rows, in order, of a chunk that never changes: `key` names it. A part that it has not is of missing values.

    `rows` are all where it is None.
    """

    key: Hashable
    parts: Mapping[str, Part]
    size: int
    rows: slice | Rows | None = None

    def __len__(self) -> int:
        if self.rows is None:
            return self.size
        return self.rows.stop - self.rows.start if isinstance(self.rows, slice) else len(self.rows)

    @property
    def name(self) -> Hashable:
        """What tells these rows from others, where they are all or a slice."""
        return (self.key, (self.rows.start, self.rows.stop)) if isinstance(self.rows, slice) else self.key

    def times(self, name: str) -> Times:
        part = self.parts[name]
        assert isinstance(part, np.ndarray)
        return part if self.rows is None else part[self.rows]

    def codes(self, name: str) -> Codes:
        """The codes of a column of values or ids."""
        part = self.parts.get(name)
        if part is None:
            return np.full(len(self), MISSING, np.int32)
        assert not isinstance(part, np.ndarray)
        return part.codes if self.rows is None else part.codes[self.rows]

    def column(self, name: str) -> Column | None:
        part = self.parts.get(name)
        assert part is None or isinstance(part, Column)
        return part

    def ids(self, name: str) -> Ids | None:
        part = self.parts.get(name)
        assert part is None or isinstance(part, Ids)
        return part

    def only(self, mask: Mask) -> Shard:
        """The rows where the mask, which has one value a row of this one, holds."""
        rows = np.flatnonzero(mask)
        if isinstance(self.rows, slice):
            rows += self.rows.start
        elif self.rows is not None:
            rows = self.rows[rows]
        return Shard(self.key, self.parts, self.size, rows)


@dataclass(frozen=True, slots=True)
class _Places:
    """For each code of a column the number of its value, and for MISSING, which comes last, MISSING."""

    numbers: TextNumbers | IdNumbers
    places: Codes


@dataclass(frozen=True, slots=True)
class _Amounts:
    """For each code of a column the number that its value is; for MISSING, which comes last, none."""

    values: Floats
    unusable: Mask


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is kept of one source of one tenant."""

    cache: Cache
    tenant_id: int
    source: str

    def texts(self, shards: Sequence[Shard], name: str) -> tuple[Codes, Sequence[str]]:
        """A column as codes, and the texts that they stand for."""
        key = (self.tenant_id, self.source, name, "texts")
        numbers: TextNumbers = self.cache.get(key) or TextNumbers()
        tables = [self._text_places(shard, name, numbers) for shard in shards]
        codes = gathered([(table, shard.codes(name)) for table, shard in zip(tables, shards, strict=True)])
        self.cache.put(key, numbers, numbers.nbytes)
        return codes, numbers.values

    def numbers(self, shards: Sequence[Shard], name: str) -> Numbers:
        """A column as numbers."""
        amounts = [self._amounts(shard, name) for shard in shards]
        size = sum(map(len, shards))
        values, unusable, end = np.empty(size, np.float64), np.empty(size, np.bool_), 0
        for shard, each in zip(shards, amounts, strict=True):
            codes, start, end = shard.codes(name), end, end + len(shard)
            values[start:end] = each.values[codes]
            unusable[start:end] = each.unusable[codes]
        return Numbers(values, unusable)

    def id_places(self, shards: Sequence[Shard], name: str, numbers: IdNumbers) -> list[Codes]:
        """For each shard the numbers of a column's ids, by its codes; at its end MISSING for MISSING."""
        known = [self.cache.get(self._key(shard, name)) for shard in shards]
        unknown = [
            place for place, each in enumerate(known)
            if shards[place].ids(name) is not None and (each is None or each.numbers is not numbers)
        ]  # fmt: skip
        if unknown:
            ids = [part.ids for place in unknown if (part := shards[place].ids(name)) is not None]
            ends = np.cumsum([len(each) for each in ids])
            found = np.split(numbers.add(np.concatenate(ids)), ends[:-1])
            for place, places in zip(unknown, found, strict=True):
                known[place] = _Places(numbers, np.concatenate([places, _NO_CODES]))
                self.cache.put(self._key(shards[place], name), known[place], known[place].places.nbytes)
        return [_NO_CODES if each is None else each.places for each in known]

    def _text_places(self, shard: Shard, name: str, numbers: TextNumbers) -> Codes:
        column = shard.column(name)
        if column is None:
            return _NO_CODES
        key = self._key(shard, name)
        kept: _Places | None = self.cache.get(key)
        if kept is None or kept.numbers is not numbers:
            kept = _Places(numbers, np.concatenate([numbers.add(column.texts()), _NO_CODES]))
            self.cache.put(key, kept, kept.places.nbytes)
        return kept.places

    def _amounts(self, shard: Shard, name: str) -> _Amounts:
        column = shard.column(name)
        if column is None:
            return _NO_AMOUNTS
        key = (*self._key(shard, name), "amounts")
        kept: _Amounts | None = self.cache.get(key)
        if kept is None:
            count = len(column.values)
            each = Column(np.arange(count, dtype=np.int32), column.values).numbers()
            kept = _Amounts(np.append(each.values, np.nan), np.append(each.unusable, False))
            self.cache.put(key, kept, 9 * count)
        return kept

    def _key(self, shard: Shard, name: str) -> tuple[Hashable, ...]:
        return (self.tenant_id, self.source, shard.key, name)


_NO_AMOUNTS = _Amounts(np.array([np.nan]), np.array([False]))


def gathered(pairs: Sequence[tuple[Codes, Codes]]) -> Codes:
    """`table[codes]` of all pairs, one after the other."""
    found = np.empty(sum(len(codes) for _, codes in pairs), np.int32)
    end = 0
    for table, codes in pairs:
        start, end = end, end + len(codes)
        found[start:end] = table[codes]
    return found
