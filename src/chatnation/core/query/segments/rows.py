"""From rows of the database to a chunk."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from chatnation.core.query.frame import MISSING, Codes, Rows, Times
from chatnation.core.query.segments.chunk import ENDED, LEAF, PROPERTIES, SESSION, TIME, VISIT, Chunk
from chatnation.core.query.segments.column import Column
from chatnation.core.query.segments.encoding import Part
from chatnation.core.query.segments.ids import Ids, id_array, id_bytes
from chatnation.core.query.segments.properties import flatten

VISITOR, HINT, OBJECT = "visitor", "hint", "properties"
PROJECT, CHANNEL = "project_id", "channel_type"

_POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01 in microseconds since 1970: from when PostgreSQL counts."""
_NOBODY = bytes(16)


def chunk_of(rows: Sequence[Mapping[str, Any]]) -> Chunk:
    """A chunk of rows that are in order, as a `FactSource` reads them: asyncpg's records.

    `time` and `ended_at` are what `timestamptz_send` gives, `leaf`, `visitor`, `hint` and `session_id` what `uuid_send`
    gives, and `properties` is an object. Every other column is a field: texts, numbers or flags.
    """
    if not rows:
        return Chunk.empty()
    columns = {name: list(map(itemgetter(place), rows)) for place, name in enumerate(rows[0].keys())}
    parts: dict[str, Part] = {TIME: _times(columns.pop(TIME)), LEAF: Ids.of(columns.pop(LEAF))}
    visitor, hint = Ids.of(columns.pop(VISITOR)), Ids.of(columns.pop(HINT))
    if ENDED in columns:
        parts[ENDED] = _times(columns.pop(ENDED))
        parts[SESSION] = Ids.of(columns.pop(SESSION))
    objects = columns.pop(OBJECT, None)
    fields = {name: Column.of(values) for name, values in columns.items()}
    parts[VISIT] = _visits(fields[PROJECT], fields[CHANNEL], visitor, hint)
    parts |= fields
    if objects is not None:
        parts |= {PROPERTIES + path: column for path, column in flatten(objects).items()}
    return Chunk(len(rows), parts)


def _times(values: Sequence[bytes]) -> Times:
    return np.frombuffer(b"".join(values), ">i8").astype(np.int64) + _POSTGRES_EPOCH


def _visits(project: Column, channel: Column, visitor: Ids, hint: Ids) -> Ids:
    """The digests of visits; each is worked out once, however many rows it has."""
    known = visitor.codes != MISSING
    both = np.stack((project.codes, channel.codes, visitor.codes, hint.codes))[:, known]
    first, places = _kinds(both)
    codes = np.full(len(visitor.codes), MISSING, np.int32)
    codes[known] = places
    projects, channels = project.texts(), channel.texts()
    visitors, hints = _each(visitor), [*_each(hint), _NOBODY]
    digests = [
        visit_digest(projects[a], channels[b], visitors[c], hints[d]) for a, b, c, d in both[:, first].T.tolist()
    ]
    return Ids(codes, id_array(digests))


def _kinds(codes: Codes) -> tuple[Rows, Codes]:
    """Of columns of small numbers: a place of each different one, and which of them each is."""
    spans = codes.max(axis=1, initial=-1).astype(np.int64) + 2
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
