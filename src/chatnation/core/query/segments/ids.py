"""Columns of ids: small numbers for rows, and the 16-byte ids that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.frame import MISSING, Codes, Mask, Rows

IdArray = NDArray[np.uint64]
"""Ids as pairs of numbers, shape (ids, 2): the first eight bytes and the last eight, both big-endian."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Row i has the id `ids[codes[i]]`, or none where the code is MISSING. Ids are unique; some may not occur."""

    codes: Codes
    ids: IdArray

    @classmethod
    def of(cls, values: Sequence[bytes | None]) -> Ids:
        """Of the 16 bytes of each row."""
        different = [value for value in dict.fromkeys(values) if value is not None]
        unique = id_array(different)
        places: dict[bytes | None, int] = {value: place for place, value in enumerate(different)}
        places[None] = MISSING
        return cls(np.fromiter(map(places.__getitem__, values), np.int32, len(values)), unique)

    def take(self, rows: Rows | Mask | slice) -> Ids:
        return Ids(self.codes[rows], self.ids)

    def compact(self) -> Ids:
        """The same without ids that do not occur."""
        codes, used = compacted(self.codes, len(self.ids))
        return self if used is None else Ids(codes, self.ids[used])


def id_array(values: Iterable[bytes]) -> IdArray:
    """Of 16 bytes each."""
    return np.frombuffer(b"".join(values), ">u8").astype(np.uint64).reshape(-1, 2)


def id_bytes(ids: IdArray) -> bytes:
    """All of them, one after the other."""
    return ids.astype(">u8").tobytes()


def uuid_of(ids: IdArray, place: int) -> UUID:
    """One of the ids."""
    return UUID(bytes=ids[place].astype(">u8").tobytes())


def unique_ids(ids: IdArray) -> tuple[IdArray, Codes]:
    """The different ones among `ids`, in ascending order, and the place of each of `ids` among them."""
    if not len(ids):
        return ids, np.empty(0, np.int32)
    # Sorted by the first half alone, which is nearly always enough and takes a third of the time.
    order = np.argsort(ids[:, 0], kind="stable")
    ordered = ids[order]
    same_first = ordered[1:, 0] == ordered[:-1, 0]
    changes = ordered[1:, 1] != ordered[:-1, 1]
    if (same_first & changes).any():
        order = np.lexsort((ids[:, 1], ids[:, 0]))
        ordered = ids[order]
        same_first = ordered[1:, 0] == ordered[:-1, 0]
        changes = ordered[1:, 1] != ordered[:-1, 1]
    begins = np.concatenate(([True], ~same_first | changes))
    places = np.empty(len(ids), np.int32)
    places[order] = np.cumsum(begins, dtype=np.int32) - 1
    return ordered[begins], places


def join_ids(parts: Sequence[Ids]) -> Ids:
    """The rows of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    unique, places = unique_ids(np.concatenate([part.ids for part in parts]))
    codes, start = [], 0
    for part in parts:
        codes.append(recoded(part.codes, places[start : start + len(part.ids)]))
        start += len(part.ids)
    return Ids(np.concatenate(codes), unique)


def recoded(codes: Codes, places: Codes) -> Codes:
    """New codes for old ones: `places[code]`; MISSING stays."""
    # The place behind the last one is that of MISSING, which is -1.
    return np.append(places, np.int32(MISSING)).astype(np.int32, copy=False)[codes]


def compacted(codes: Codes, size: int) -> tuple[Codes, Rows | None]:
    """Codes of the values that occur, and which these are; None: all of `size`."""
    occurs = np.zeros(size + 1, np.bool_)
    occurs[codes] = True
    used = np.flatnonzero(occurs[:-1])
    if len(used) == size:
        return codes, None
    places = np.full(size, MISSING, np.int32)
    places[used] = np.arange(len(used), dtype=np.int32)
    return recoded(codes, places), used
