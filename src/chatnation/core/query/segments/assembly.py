"""Frames out of rows of sources. Runs in a thread, and reads no database: whatever is needed of it is `Known`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

import numpy as np

from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Actors, ArrayFrame, Coded, Codes, Need, Numbers
from chatnation.core.query.segments.chunk import LEAF, PROPERTIES, SESSION, TIME
from chatnation.core.query.segments.client_fields import CLIENT_FIELDS, ClientFields
from chatnation.core.query.segments.ids import IdArray, compacted, uuid_of
from chatnation.core.query.segments.joining import sessions_of
from chatnation.core.query.segments.persons import Merges, People, PersonNames
from chatnation.core.query.segments.source_rows import SPARE, SourceRows, thinned
from chatnation.core.query.segments.traits import Trait

PERSON, VISITED = "person", "session"
"""Actors that are no fields."""


@dataclass(frozen=True, slots=True)
class TextNames:
    """Actors that are values of a field."""

    values: Sequence[str]

    def __len__(self) -> int:
        return len(self.values)

    def label(self, code: int) -> str:
        return self.values[code]

    def person(self, code: int) -> UUID | None:
        return None


@dataclass(frozen=True, slots=True)
class SessionNames:
    """Actors that are sessions."""

    ids: IdArray

    def __len__(self) -> int:
        return len(self.ids)

    def label(self, code: int) -> str:
        return str(uuid_of(self.ids, code))

    def person(self, code: int) -> UUID | None:
        return None


@dataclass(frozen=True, slots=True)
class Known:
    """What a frame needs besides rows: who is who, traits by key, what is known of clients.

    `ignored` are names of events that are part of no session.
    """

    people: People
    merges: Merges | None = None
    traits: Mapping[str, Trait] = field(default_factory=dict)
    clients: ClientFields | None = None
    ignored: frozenset[str] = frozenset()


class Assembly:
    """Columns of events with the sessions that they belong to, or of sessions (then `sessions` is None)."""

    def __init__(self, rows: SourceRows, known: Known, sessions: SourceRows | None = None) -> None:
        self._rows = rows
        self._known = known
        self._sessions = sessions

    def frame(self, need: Need) -> ArrayFrame:
        """All that is needed, of every row."""
        return ArrayFrame(
            self._rows.times(TIME),
            {each: self.column(each) for each in need.columns},
            {each: self.numbers(each) for each in need.numbers},
            {each: self.actors(each) for each in need.actors},
        )

    def column(self, field: Field) -> Coded:
        """A field as texts."""
        if field.scope == "person":
            return thinned(self._known.traits[field.name].coded(self._persons, self._person_of).coded())
        if field.scope == "session":
            column = self._session_columns.column(Field("column", field.name))
            return Coded(_looked_up(column.codes, self._joined), column.values)
        if self._is_of_client(field):
            assert self._known.clients is not None
            return self._rows.client_field(field.name, self._known.clients)
        return self._rows.texts(part_of(field))

    def numbers(self, field: Field) -> Numbers:
        """A field as numbers."""
        if field.scope == "person":
            return self._known.traits[field.name].coded(self._persons, self._person_of).numbers()
        if field.scope == "session":
            numbers = self._session_columns.numbers(Field("column", field.name))
            values = np.append(numbers.values, np.nan)[self._joined]
            return Numbers(values, np.append(numbers.unusable, False)[self._joined])
        if self._is_of_client(field):
            coded = self.column(field)
            return Numbers(np.full(len(coded.codes), np.nan), coded.codes >= 0)
        return self._rows.numbers(part_of(field))

    def actors(self, actor: str) -> Actors:
        """`person`, `session`, or a field."""
        if actor == PERSON:
            return self._thinned_persons()
        if actor == VISITED and self._is_of_sessions:
            return Actors(np.arange(self._rows.size, dtype=np.int32), SessionNames(self._rows.ids(SESSION)))
        if actor == VISITED:
            return Actors(self._joined, SessionNames(self._session_rows.ids(SESSION)))
        source = "sessions" if self._is_of_sessions else "events"
        column = self.column(Field.parse(actor, source))
        return Actors(column.codes, TextNames(column.values))

    @property
    def _is_of_sessions(self) -> bool:
        return self._sessions is None

    @property
    def _session_rows(self) -> SourceRows:
        assert self._sessions is not None
        return self._sessions

    @cached_property
    def _session_columns(self) -> Assembly:
        return Assembly(self._session_rows, self._known)

    def _is_of_client(self, field: Field) -> bool:
        return field.scope == "column" and field.name in CLIENT_FIELDS and not self._is_of_sessions

    @cached_property
    def _person_of(self) -> Codes:
        leafs = self._known.people.leafs
        # Before the numbers are counted, all have to have one.
        self._rows.number_ids(LEAF, leafs)
        assert self._known.merges is not None
        return self._known.merges.table(len(leafs))

    @cached_property
    def _persons(self) -> Codes:
        return self._rows.person_codes(LEAF, self._known.people.leafs, self._person_of)

    def _thinned_persons(self) -> Actors:
        persons = self._persons
        ids = self._known.people.leafs.ids
        if len(ids) <= SPARE + 4 * len(persons):
            return Actors(persons, PersonNames(ids))
        codes, used = compacted(persons, len(ids))
        return Actors(codes, PersonNames(ids if used is None else ids[used]))

    @cached_property
    def _joined(self) -> Codes:
        """The row of each event's session."""
        shelf, known = self._rows.shelf, self._known
        return sessions_of(shelf.cache, shelf.tenant_id, self._rows.shards, self._session_rows.shards, known.ignored)


def part_of(field: Field) -> str:
    """The part of a chunk that a field is; raises KeyError for one that is none."""
    if field.scope == "properties":
        return PROPERTIES + field.name
    if field.scope == "column":
        return field.name
    raise KeyError(field)


def _looked_up(codes: Codes, rows: Codes) -> Codes:
    """Codes of some rows; MISSING for the row MISSING."""
    return np.append(codes, np.int32(-1)).astype(np.int32, copy=False)[rows]
