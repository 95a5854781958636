"""Answers `Catalogue`: counts from a frame of the range, properties from a sample of the newest events of each name."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from chatnation.core.query.answers import CatalogueAnswer, CataloguedEvent, CataloguedProperty
from chatnation.core.query.evaluate.conditions import EVENT_NAME
from chatnation.core.query.evaluate.rows import load, picked, relevant
from chatnation.core.query.event_rows import Among, places_of, properties_at
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Codes, Frame, Need, Rows
from chatnation.core.query.model import Catalogue, Selection
from chatnation.core.query.segments.loader import SegmentLoader
from chatnation.core.query.store import QueryRefused

SAMPLED, SAMPLED_OF_ONE = 20, 1_000
"""Events of a name whose properties are looked at: of each of many names, and of a single one."""
EXAMPLES, EXAMPLES_OF_ONE = 5, 20
_LONGEST_EXAMPLE = 200
_MOST_PROPERTIES = 500
"""Of one event name. Whoever has more of them makes them up as they go."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SENDER, _CHANNEL = Field("column", "sdk_name"), Field("column", "channel_type")
_KINDS = {str: "text", bool: "flag", int: "number", float: "number", dict: "object", list: "list", type(None): "null"}


async def answer(query: Catalogue, loader: SegmentLoader) -> CatalogueAnswer:
    """What events there are. Raises QueryRefused where the question makes no sense."""
    if query.source != "events":
        raise QueryRefused("There is a catalogue of events only.")
    select = Selection(() if query.event_name is None else (query.event_name,))
    need = Need(columns=frozenset({EVENT_NAME, _SENDER, _CHANNEL}), actors=frozenset({"person"}))
    frame = await load(query, loader, need, [select])
    found = await asyncio.to_thread(_by_name, frame, picked(frame, relevant(frame, query), select, "events").rows)
    found = sorted(found, key=lambda each: (-each.count, each.name))[: query.limit]
    sampled = SAMPLED if query.event_name is None else SAMPLED_OF_ONE
    newest = [each.rows[-sampled:][::-1] for each in found]
    samples = await _properties(loader, frame, newest, select.events)
    examples = EXAMPLES if query.event_name is None else EXAMPLES_OF_ONE
    return CatalogueAnswer(
        tuple(each.catalogued(frame, sample, examples) for each, sample in zip(found, samples, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """The rows of one name, in order, and how many persons they are of."""

    name: str
    rows: Rows
    persons: int

    @property
    def count(self) -> int:
        return len(self.rows)

    def catalogued(self, frame: Frame, sample: Sequence[Mapping[str, Any]], examples: int) -> CataloguedEvent:
        return CataloguedEvent(
            event_name=self.name,
            count=self.count,
            persons=self.persons,
            first_seen=_moment(frame, self.rows[0]),
            last_seen=_moment(frame, self.rows[-1]),
            senders=self._counted(frame, _SENDER),
            channels=self._counted(frame, _CHANNEL),
            properties=_catalogued(sample, examples),
            sampled=len(sample),
        )

    def _counted(self, frame: Frame, field: Field) -> dict[str, int]:
        """How many rows have each value, the most frequent first."""
        column = frame.column(field).take(self.rows)
        counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.values))
        found = [(column.values[code], int(counts[code])) for code in np.flatnonzero(counts).tolist()]
        return dict(sorted(found, key=lambda each: (-each[1], each[0])))


def _by_name(frame: Frame, rows: Rows) -> list[_Named]:
    """The rows by event name."""
    names = frame.column(EVENT_NAME).take(rows)
    persons = frame.actors("person").codes[rows]
    order = np.argsort(names.codes, kind="stable")
    ends = np.cumsum(np.bincount(names.codes, minlength=len(names.values))).tolist()
    found = []
    for name, start, end in zip(names.values, [0, *ends], ends, strict=False):
        if start < end:
            members = order[start:end]
            found.append(_Named(name, rows[members], _different(persons[members])))
    return found


def _different(codes: Codes) -> int:
    return len(np.unique(codes[codes >= 0]))


async def _properties(
    loader: SegmentLoader, frame: Frame, wanted: Sequence[Rows], names: tuple[str, ...]
) -> list[list[dict[str, Any]]]:
    """The properties of some rows, in lists like those of the rows."""
    connection, tenant_id = await loader.connection(), loader.tenant_id
    rows = np.concatenate([*wanted, np.empty(0, np.intp)])
    places = await places_of(connection, tenant_id, frame.time, rows, Among(names))
    objects = iter(await properties_at(connection, tenant_id, places))
    return [[next(objects) for _ in each] for each in wanted]


@dataclass(slots=True)
class _Found:
    """Values under one name."""

    types: Counter[str] = field(default_factory=Counter)
    examples: dict[str, None] = field(default_factory=dict)


def _catalogued(sample: Sequence[Mapping[str, Any]], examples: int) -> tuple[CataloguedProperty, ...]:
    """The properties of a sample, the most frequent first; those of objects in objects by their path."""
    found: defaultdict[str, _Found] = defaultdict(_Found)
    for each in sample:
        _look_at(each, "", found, examples)
    properties = [
        CataloguedProperty(name, each.types.total(), dict(each.types.most_common()), tuple(each.examples))
        for name, each in found.items()
    ]
    return tuple(sorted(properties, key=lambda each: (-each.count, each.name))[:_MOST_PROPERTIES])


def _look_at(properties: Mapping[str, Any], prefix: str, found: defaultdict[str, _Found], examples: int) -> None:
    for key, value in properties.items():
        name = prefix + key
        each = found[name]
        each.types[_KINDS[type(value)]] += 1
        if isinstance(value, dict):
            _look_at(value, f"{name}.", found, examples)
        elif len(each.examples) < examples:
            each.examples.setdefault(_shown(value))


def _shown(value: object) -> str:
    """A value as JSON, a long one cut."""
    if isinstance(value, str) and len(value) > _LONGEST_EXAMPLE:
        value = value[:_LONGEST_EXAMPLE] + "…"
    shown = msgspec.json.encode(value).decode()
    return '["…"]' if isinstance(value, list) and len(shown) > _LONGEST_EXAMPLE else shown


def _moment(frame: Frame, row: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(frame.time[row]))
