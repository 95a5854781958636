"""From rows of the database to a chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np

from chatnation.core.query.frame import MISSING, Codes, Rows, Times
from chatnation.core.query.segments.chunk import PROPERTIES, VISIT, Chunk
from chatnation.core.query.segments.column import Column
from chatnation.core.query.segments.encoding import Part
from chatnation.core.query.segments.ids import Ids, id_array, id_bytes, unique_ids
from chatnation.core.query.segments.properties import flatten
from chatnation.core.query.segments.sources import ENDED, HINT, LEAF, OBJECT, SESSION, TIME, VISITOR

PROJECT, CHANNEL = "project_id", "channel_type"

_POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970: from when PostgreSQL counts."""
_NOBODY = bytes(16)


def chunk_of(rows: Sequence[Mapping[str, Any]]) -> Chunk:
    """A chunk of rows in order: records of asyncpg, as `FactSource.rows` gives them."""
    if not rows:
        return Chunk.empty()
    columns = {name: list(map(itemgetter(place), rows)) for place, name in enumerate(rows[0].keys())}
    joined: dict[str, Callable[[list[Any]], Any]] = dict.fromkeys((TIME, ENDED), b"".join)
    joined |= dict.fromkeys((LEAF, VISITOR, HINT, SESSION), lambda ids: b"".join(each or _NOBODY for each in ids))
    return _chunk({name: joined.get(name, list)(values) for name, values in columns.items()})


def chunk_of_columns(columns: Mapping[str, Any]) -> Chunk:
    """A chunk of what `FactSource.gathered` gives."""
    if columns[TIME] is None:
        return Chunk.empty()
    found = dict(columns)
    if OBJECT in found:
        found[OBJECT] = msgspec.json.decode(found[OBJECT].encode())
    return _chunk(found)


def _chunk(columns: dict[str, Any]) -> Chunk:
    """Of times and ids as bytes in a row, objects, and lists of scalars."""
    parts: dict[str, Part] = {name: _times(columns.pop(name)) for name in (TIME, ENDED) if name in columns}
    parts |= {name: _ids(columns.pop(name)) for name in (LEAF, SESSION) if name in columns}
    visitor, hint = _ids(columns.pop(VISITOR)), _ids(columns.pop(HINT))
    objects = columns.pop(OBJECT, None)
    fields = {name: Column.of(values) for name, values in columns.items()}
    parts[VISIT] = _visits(fields[PROJECT], fields[CHANNEL], visitor, hint)
    parts |= fields
    if objects is not None:
        parts |= {PROPERTIES + path: column for path, column in flatten(objects).items()}
    return Chunk(len(visitor.codes), parts)


def _times(together: bytes) -> Times:
    return np.frombuffer(together, ">i8").astype(np.int64) + _POSTGRES_EPOCH


def _ids(together: bytes) -> Ids:
    """Of 16 bytes a row; zeros are none."""
    ids, codes = unique_ids(id_array((together,)))
    if len(ids) and not ids[0].any():
        # They are in ascending order, so that none is the first.
        return Ids(codes - np.int32(1), ids[1:])
    return Ids(codes, ids)


def _visits(project: Column, channel: Column, visitor: Ids, hint: Ids) -> Ids:
    """The digests of visits; each is worked out once, however many rows it has."""
    known = visitor.codes != MISSING
    kinds = np.stack((project.codes, channel.codes, visitor.codes, hint.codes))[:, known]
    first, places = _kinds(kinds)
    codes = np.full(len(visitor.codes), MISSING, np.int32)
    codes[known] = places
    projects, channels = project.texts(), channel.texts()
    visitors, hints = _each(visitor), [*_each(hint), _NOBODY]
    a, b, c, d = (row.tolist() for row in kinds[:, first])
    digests = map(
        visit_digest,
        map(projects.__getitem__, a),
        map(channels.__getitem__, b),
        map(visitors.__getitem__, c),
        map(hints.__getitem__, d),
    )
    return Ids(codes, id_array(digests))


def _kinds(codes: Codes) -> tuple[Rows, Codes]:
    """Of columns of small numbers: a place of each different combination, and which of them each is."""
    spans = codes.max(axis=1, initial=MISSING).astype(np.int64) + 2
    combined = np.zeros(codes.shape[1], np.int64)
    for row, span in zip(codes, spans.tolist(), strict=True):
        combined = combined * span + (row + 1)
    _, first, places = np.unique(combined, return_index=True, return_inverse=True)
    return first, places.astype(np.int32)


def visit_digest(project: str, channel: str, visitor: bytes, hint: bytes) -> bytes:
    """16 bytes that stand for a visit; a hint of zeros is none."""
    return hashlib.blake2b(b"".join((visitor, hint, f"{project} {channel}".encode())), digest_size=16).digest()


def _each(ids: Ids) -> list[bytes]:
    together = id_bytes(ids.ids)
    return [together[start : start + 16] for start in range(0, len(together), 16)]
