"""Rows as columns of numbers: what evaluators compute on.

A frame holds the rows of one tenant and one source in a stretch of time, in the order of events: time, then the
client's sequence number (without one: last), then message id. Texts are coded: a column is an array of small numbers
and the list of texts that they stand for. Nothing in here knows a database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.fields import Field

MISSING = -1
"""The code of a row without a value."""

Codes = NDArray[np.int32]
Times = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of texts: row i has `values[codes[i]]`, or none where the code is MISSING.

    Values are unique, but some may not occur. Numbers are their JSON text, flags `true` and `false`; objects and lists
    are no values.
    """

    codes: Codes
    values: Sequence[str]

    def take(self, rows: Rows | Mask) -> Coded:
        return Coded(self.codes[rows], self.values)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: NaN where a row has none. `unusable`: the rows that have a value which is no number.

    Numbers are JSON numbers, and texts that are one (`"4"`, `" 2.5"`); flags are not, nor are infinities.
    """

    values: Floats
    unusable: Mask

    def take(self, rows: Rows | Mask) -> Numbers:
        return Numbers(self.values[rows], self.unusable[rows])


class ActorNames(Protocol):
    """What the codes of actors stand for."""

    def __len__(self) -> int: ...

    def label(self, code: int) -> str:
        """The actor's id as text."""
        ...

    def person(self, code: int) -> UUID | None:
        """The person's id, where actors are persons."""
        ...


@dataclass(frozen=True, slots=True)
class Actors:
    """Who did each row: codes from 0 to len(names) - 1, MISSING where nobody is known. Merged persons have one code."""

    codes: Codes
    names: ActorNames

    def take(self, rows: Rows | Mask) -> Actors:
        return Actors(self.codes[rows], self.names)


class Frame(Protocol):
    """Rows in order. Only the columns that were asked for when it was loaded can be read; others raise KeyError."""

    @property
    def size(self) -> int: ...

    @property
    def time(self) -> Times:
        """Microseconds since 1970 in UTC, never falling. Of sessions: of their beginning."""
        ...

    def column(self, field: Field) -> Coded:
        """A field as texts."""
        ...

    def numbers(self, field: Field) -> Numbers:
        """A field as numbers."""
        ...

    def actors(self, actor: str) -> Actors:
        """`person`, `session` (the visit that the row belongs to), or a field, every value of which is an actor."""
        ...

    def take(self, rows: Rows | Mask) -> Frame:
        """Some of the rows, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class ArrayFrame:
    """A frame that holds its columns."""

    time: Times
    columns: Mapping[Field, Coded] = field(default_factory=dict)
    number_columns: Mapping[Field, Numbers] = field(default_factory=dict)
    actor_columns: Mapping[str, Actors] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.time)

    def column(self, field: Field) -> Coded:
        return self.columns[field]

    def numbers(self, field: Field) -> Numbers:
        return self.number_columns[field]

    def actors(self, actor: str) -> Actors:
        return self.actor_columns[actor]

    def take(self, rows: Rows | Mask) -> ArrayFrame:
        return replace(
            self,
            time=self.time[rows],
            columns={key: column.take(rows) for key, column in self.columns.items()},
            number_columns={key: column.take(rows) for key, column in self.number_columns.items()},
            actor_columns={key: column.take(rows) for key, column in self.actor_columns.items()},
        )


@dataclass(frozen=True, slots=True)
class Need:
    """What has to be loaded: fields read as texts, fields read as numbers, kinds of actors; time is always there."""

    columns: frozenset[Field] = frozenset()
    numbers: frozenset[Field] = frozenset()
    actors: frozenset[str] = frozenset()

    def __or__(self, other: Need) -> Need:
        return Need(self.columns | other.columns, self.numbers | other.numbers, self.actors | other.actors)


class Loader(Protocol):
    """Brings frames. One per question: everything that it loads is seen at one moment."""

    async def load(
        self, start: datetime | None, end: datetime | None, need: Need, events: Collection[str] = ()
    ) -> Frame:
        """The rows from `start` up to `end` (None: without bound), bots included, with the columns of `need`.

        With `events` the loader may, but need not, leave out rows of other names.
        """
        ...
