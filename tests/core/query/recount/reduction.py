"""Questions in simpler words: the same question about events on which plain Python has written down what is meant.

Oracles of single kinds know names of events and one condition. So each selection, with whatever operators, parts of
the local time and first rows are in it, becomes a mark on the events that it means, and each computed field a property.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from chatnation.core.query.model import Filter, First, Question, Selection
from tests.core.query import plain
from tests.core.query.histories import PlainEvent

Q = TypeVar("Q")
FIELDS = frozenset({"by", "node", "constant"})
"""Parts of questions that are names of fields, or several of them."""
ACTORS = frozenset({"actor", "per"})
CONDITIONS = frozenset({"filters", "where"})
WHO = ("person", "session")
_COMPUTED = ("time.", "first_of:")


def reduced(query: Q, events: Sequence[PlainEvent]) -> tuple[Q, list[PlainEvent]]:
    """The question and the events, in order, as oracles of single kinds take them."""
    about = _question_in(query)
    reduction = _Reduction(sorted(events, key=lambda event: event.place), about.range.zone, bots=about.include_bots)
    simpler = reduction.simpler(query)
    return simpler, reduction.marked()


def first_known(event: PlainEvent, actor: str) -> tuple[str, str] | None:
    """Of several kinds of actors the first that is known, and its kind; equal values of fields are one actor."""
    for part in actor.removeprefix("first_of:").split("|"):
        found = getattr(event, part) if part in WHO else event.value(part)
        if found is not None:
            return (part if part in WHO else "field"), found
    return None


def first_rows(
    events: Iterable[PlainEvent], names: Sequence[str], first: First, zone: ZoneInfo, *, bots: bool
) -> set[int]:
    """The places of the events that `first` of a selection of these names means."""
    seen: set[tuple[str, str]] = set()
    firsts, others = set(), set()
    for place, event in enumerate(events):
        if names and event.name not in names:
            continue
        if (event.is_bot and not bots) or not all(plain.meets(event, each, zone) for each in first.among):
            continue
        actor = first_known(event, first.per)
        (others if actor in seen else firsts).add(place)
        if actor is not None:
            seen.add(actor)
    return others if first.later else firsts


def _question_in(query: Any) -> Question:
    """A question, or the one that a list is about."""
    if isinstance(query, Question):
        return query
    return next(part for each in fields(query) if isinstance(part := getattr(query, each.name), Question))


class _Reduction:
    def __init__(self, events: Sequence[PlainEvent], zone: ZoneInfo, *, bots: bool) -> None:
        self._events = events
        self._zone = zone
        self._bots = bots
        self._written: dict[str, list[str | None]] = {}
        self._names: dict[str, str] = {}

    def marked(self) -> list[PlainEvent]:
        """The events with all that was written on them."""
        written = [{name: texts[at] for name, texts in self._written.items()} for at in range(len(self._events))]
        return [
            replace(event, properties={**event.properties, **more})
            for event, more in zip(self._events, written, strict=True)
        ]

    def simpler(self, part: Any) -> Any:
        """A question or a part of one."""
        if isinstance(part, Selection):
            return Selection(filters=self._selection(part))
        if isinstance(part, tuple):
            return tuple(map(self.simpler, part))
        if not is_dataclass(part) or isinstance(part, type):
            return part
        changed = {}
        for each in fields(part):
            value = getattr(part, each.name)
            if each.name in CONDITIONS and value:
                changed[each.name] = self._mark(repr(value), [self._meets(event, value) for event in self._events])
            elif each.name in FIELDS:
                changed[each.name] = tuple(map(self._field, value)) if isinstance(value, tuple) else self._field(value)
            elif each.name in ACTORS:
                changed[each.name] = self._actor(value)
            elif each.init:
                changed[each.name] = self.simpler(value)
        return replace(part, **changed)  # type: ignore[type-var]

    def _selection(self, selection: Selection) -> tuple[Filter, ...]:
        meant = [
            (not selection.events or event.name in selection.events) and self._meets(event, selection.filters)
            for event in self._events
        ]
        if selection.first is not None:
            rows = first_rows(self._events, selection.events, selection.first, self._zone, bots=self._bots)
            meant = [yes and place in rows for place, yes in enumerate(meant)]
        return self._mark(repr(selection), meant)

    def _meets(self, event: PlainEvent, conditions: Iterable[Any]) -> bool:
        return all(plain.meets(event, condition, self._zone) for condition in conditions)

    def _mark(self, key: str, meant: Sequence[bool]) -> tuple[Filter, ...]:
        name = self._write(key, ["yes" if yes else None for yes in meant])
        return (Filter(name, "is", ("yes",)),)

    def _field(self, field: str | None) -> str | None:
        if field is None or not field.startswith(_COMPUTED):
            return field
        parts = field.removeprefix("first_of:").split("|")
        values = [[plain.value(event, part, self._zone) for part in parts] for event in self._events]
        return self._write(field, [next((one for one in some if one is not None), None) for some in values])

    def _actor(self, actor: str | None) -> str | None:
        if actor is None or not actor.startswith(_COMPUTED):
            return actor
        known = [first_known(event, actor) for event in self._events]
        # Actors of different kinds are different ones, though they may have the same name.
        texts = {found[1] for found in known if found is not None}
        alike = len(texts) < len({found for found in known if found is not None})
        return self._write(
            f"actor {actor}", [None if found is None else "/".join(found) if alike else found[1] for found in known]
        )

    def _write(self, key: str, texts: list[str | None]) -> str:
        name = self._names.setdefault(key, f"#{len(self._names)}")
        self._written[name] = texts
        return f"properties.{name}"
