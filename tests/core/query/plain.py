"""Oracles of conditions and measures: one event at a time, obvious and slow, with nothing of the evaluators."""

from __future__ import annotations

import fnmatch
import math
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from chatnation.core.query.model import AnyOf, Condition, Filter, Measure, Operator, Question, Range, Selection
from tests.core.query.histories import PlainEvent, random_history

ZONES = ("Africa/Nairobi", "Europe/Berlin")
CLOCKS_FORWARD = datetime(2025, 3, 20, tzinfo=UTC)
CLOCKS_BACK = datetime(2025, 10, 16, tzinfo=UTC)
"""Within 20 days from here, Berlin's clocks are changed."""

FIELDS = (
    "properties.x", "properties.kind", "properties.deep.er", "country_code", "event_name", "journey_start",
    "time.hour", "time.weekday", "time.date", "person.plan", "session.utm_source",
)  # fmt: skip
OPERATORS: tuple[Operator, ...] = get_args(Operator)
NUMERIC = ("sum", "avg", "min", "max", "p50", "p75", "p90", "p95", "p99")


def value(event: PlainEvent, field: str, zone: ZoneInfo) -> str | None:
    """The text of a field, parts of the local time included."""
    local = event.time.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    parts = {
        "time.weekday": str(local.isoweekday() % 7),
        "time.hour": str(local.hour),
        "time.date": local.date().isoformat(),
        "time.week": monday.isoformat(),
        "time.month": f"{local:%Y-%m}",
    }
    return parts[field] if field in parts else event.value(field)


def number(text: str) -> float | None:
    """The number that a text is."""
    if not re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", text):
        return None
    found = float(text)
    return found if math.isfinite(found) else None


def meets(event: PlainEvent, condition: Condition, zone: ZoneInfo) -> bool:
    """Whether an event meets a condition."""
    if isinstance(condition, AnyOf):
        return any(meets(event, single, zone) for single in condition.any_of)
    text = value(event, condition.field, zone)
    negative = {"is_not": "is", "not_contains": "contains", "is_not_set": "is_set"}
    if condition.operator in negative:
        return not _holds(text, negative[condition.operator], condition.values)
    return _holds(text, condition.operator, condition.values)


def _holds(text: str | None, operator: str, wanted: Sequence[Any]) -> bool:
    if text is None:
        return False
    if operator == "is_set":
        return True
    if operator == "between":
        found = number(text)
        return found is not None and float(wanted[0]) <= found <= float(wanted[1])
    return any(_compare(text, operator, single) for single in wanted)


def _compare(text: str, operator: str, wanted: Any) -> bool:
    written = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
    if isinstance(wanted, float) and wanted.is_integer():
        written = str(int(wanted))
    lowered, sought = text.casefold(), written.casefold()
    found = number(text)
    match operator:
        case "is":
            typed = not isinstance(wanted, bool | str)
            return text == written or (typed and found is not None and found == wanted)
        case "contains":
            return sought in lowered
        case "starts_with":
            return lowered[: len(sought)] == sought
        case "ends_with":
            return sought == "" or lowered[-len(sought) :] == sought
        case "matches":
            return fnmatch.fnmatchcase(text, re.sub(r"[\[?]", lambda special: f"[{special[0]}]", written))
        case "gt":
            return found is not None and found > float(wanted)
        case "gte":
            return found is not None and found >= float(wanted)
        case "lt":
            return found is not None and found < float(wanted)
        case "lte":
            return found is not None and found <= float(wanted)
    raise NotImplementedError(operator)


def selected(event: PlainEvent, selection: Selection, zone: ZoneInfo) -> bool:
    """Whether an event is one of a selection."""
    named = not selection.events or event.name in selection.events
    return named and all(meets(event, condition, zone) for condition in selection.filters)


def about(events: Iterable[PlainEvent], query: Question, selection: Selection) -> list[PlainEvent]:
    """The events of all times that count, in order."""
    zone = query.range.zone
    return [
        event
        for event in sorted(events, key=lambda event: event.place)
        if (query.include_bots or not event.is_bot)
        and all(meets(event, condition, zone) for condition in query.filters)
        and selected(event, selection, zone)
    ]


def inside(events: Iterable[PlainEvent], stretch: Range) -> list[PlainEvent]:
    """The events of a range."""
    return [event for event in events if stretch.start <= event.time < stretch.end]


def newcomers(events: Sequence[PlainEvent]) -> list[PlainEvent]:
    """Of events in order the first of each person."""
    seen: set[str] = set()
    found = []
    for event in events:
        if event.person is not None and event.person not in seen:
            seen.add(event.person)
            found.append(event)
    return found


def told(events: Sequence[PlainEvent], measure: Measure, zone: ZoneInfo) -> float | None:
    """A measure of events; of new persons these are the newcomers."""
    match measure.kind:
        case "count" | "new_persons":
            return len(events)
        case "persons":
            return len({event.person for event in events} - {None})
        case "sessions":
            return len({event.session for event in events} - {None})
        case "distinct":
            assert measure.field is not None
            return len({value(event, measure.field, zone) for event in events} - {None})
    return of_numbers(numbers(events, measure.field or ""), measure.kind)


def numbers(events: Iterable[PlainEvent], field: str) -> list[float]:
    """The numbers of a field."""
    return [found for event in events if (found := event.number(field)) is not None]


def unusable(events: Iterable[PlainEvent], field: str) -> int:
    """How many events have a value of a field that is no number."""
    return sum(1 for event in events if event.value(field) is not None and event.number(field) is None)


def of_numbers(found: Sequence[float], kind: str) -> float | None:
    """A measure of numbers."""
    if kind == "sum":
        return math.fsum(found)
    if not found:
        return None
    simple: Mapping[str, Any] = {"avg": statistics.fmean, "min": min, "max": max}
    if kind in simple:
        return float(simple[kind](found))
    ordered, rank = sorted(found), int(kind[1:]) / 100 * (len(found) - 1)
    low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
    return low + (high - low) * (rank - math.floor(rank))


def random_condition(random: Random) -> Condition:
    """A condition of any operator on a field of any scope."""
    if random.random() < 0.15:
        return AnyOf(tuple(_random_filter(random) for _ in range(random.randint(1, 3))))
    return _random_filter(random)


def _random_filter(random: Random) -> Filter:
    field = random.choice(FIELDS)
    operator = random.choice(OPERATORS)
    amount: Any = random.choice((0, 1, 2, 2.5, 3.0, 12, "2", "3", " 1 ", "-1"))
    if operator == "between":
        return Filter(field, operator, (amount, random.choice((2, 3.0, "5", 20))))
    if operator in ("gt", "gte", "lt", "lte"):
        return Filter(field, operator, (amount,))
    if operator in ("is_set", "is_not_set"):
        return Filter(field, operator)
    texts = (
        "KE", "ke", "U", "G", "p", "q", "many", "ma", "NY", "a", "PRO", "ee", "F", "true", "fal", "",
        "3", "2.5", "1", "0", "202", "2025-03-30", 2, 3.0, True, False,
    )  # fmt: skip
    patterns = ("*", "m*y", "*e*", "2025-*-3*", "K?", "[a]", "2*", "*.*", "", "m*a*n*y", "many*many", "**")
    wanted = patterns if operator == "matches" else texts
    return Filter(field, operator, tuple(random.sample(wanted, random.choice((1, 1, 2)))))


def random_measure(random: Random) -> Measure:
    """A measure of any kind."""
    kind: Any = random.choice(("count", "persons", "new_persons", "sessions", "distinct", *NUMERIC))
    if kind == "distinct":
        return Measure(kind, random.choice(("country_code", "properties.x", "time.date")))
    return Measure(kind, random.choice(("properties.x", "person.age")) if kind in NUMERIC else None)


def random_selection(random: Random) -> Selection:
    """Some of the events."""
    names = random.choice(((), (), ("a",), ("a", "b"), ("c", "nothing")))
    return Selection(names, tuple(random_condition(random) for _ in range(random.choice((0, 0, 0, 1)))))


def random_events(random: Random) -> list[PlainEvent]:
    """A history with traits, visits and nested properties, around a change of Berlin's clocks."""
    events = random_history(
        random,
        events=random.choice((0, 1, 2, 10, 40, 120)),
        persons=random.choice((1, 3, 8)),
        days=random.choice((0.2, 3, 20)),
        beginning=random.choice((CLOCKS_FORWARD, CLOCKS_BACK)),
    )
    return [
        replace(
            event,
            traits=random.choice(({}, {"plan": "pro"}, {"plan": "Free", "age": random.randrange(90)}, {"age": "old"})),
            session_columns=random.choice(({}, {"utm_source": "mail"}, {"utm_source": "2.50"})),
            properties={
                **event.properties,
                **random.choice(({}, {}, {"deep": {"er": random.choice((1, "1.0", True))}})),
            },
        )
        for event in events
    ]


def random_range(random: Random, events: Sequence[PlainEvent]) -> Range:
    """Whole local days or any stretch, of which some events are mostly in."""
    zone = random.choice(ZONES)
    middle = random.choice(events).time if events else CLOCKS_FORWARD
    if random.random() < 0.6:
        day = middle.astimezone(ZoneInfo(zone)).date()
        first, last = day - timedelta(days=random.randrange(10)), day + timedelta(days=random.randrange(1, 10))
        return Range(
            datetime.combine(first, time(), ZoneInfo(zone)), datetime.combine(last, time(), ZoneInfo(zone)), zone
        )
    before, after = (timedelta(seconds=random.randrange(1, 5 * 86_400)) for _ in range(2))
    return Range(middle - before, middle + after, zone)


def random_frame(random: Random, events: Sequence[PlainEvent]) -> dict[str, Any]:
    """What all questions have."""
    return {
        "range": random_range(random, events),
        "filters": tuple(random_condition(random) for _ in range(random.choice((0, 0, 0, 1)))),
        "include_bots": random.random() < 0.3,
    }


def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets evaluators go the ways that they go where there are very many rows or values."""
    monkeypatch.setattr("chatnation.core.query.evaluate.measures._CELLS", 0)
    monkeypatch.setattr("chatnation.core.query.evaluate.ranking._TABLE", 0)
    monkeypatch.setattr("chatnation.core.query.evaluate.ranking._FEW", 0)
