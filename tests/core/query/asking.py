"""For oracles of questions about actors: which plain events a question is about, local periods, and random questions.

Written apart from the evaluators: one event at a time, with `datetime` alone.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from chatnation.core.query.answers import ActorsAnswer, Bucket, FoundActor, Spread
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.model import ActorsQuery, AnyOf, Condition, Filter, Granularity, Question, Range, Selection
from tests.core.query.histories import PlainEvent, PlainLoader, random_history

GRANULARITIES: tuple[Granularity, ...] = ("hour", "day", "week", "month")
ZONES = ("Africa/Nairobi", "Europe/Berlin")
CLOCKS_FORWARD = datetime(2025, 3, 20, tzinfo=UTC)
CLOCKS_BACK = datetime(2025, 10, 16, tzinfo=UTC)
"""Histories of 20 days from here have a change of Berlin's clocks in them."""


def matches(event: PlainEvent, selection: Selection) -> bool:
    """Whether an event is one of a selection; of the operators, those that the random questions use."""
    if selection.events and event.name not in selection.events:
        return False
    return all(meets(event, condition) for condition in selection.filters)


def meets(event: PlainEvent, condition: Condition) -> bool:
    if isinstance(condition, AnyOf):
        return any(meets(event, single) for single in condition.any_of)
    value = event.value(condition.field)
    match condition.operator:
        case "is":
            return value in condition.values
        case "is_not":
            return value not in condition.values
        case "is_set":
            return value is not None
        case _:
            raise NotImplementedError(condition.operator)


def actor_of(event: PlainEvent, actor: str) -> str | None:
    match actor:
        case "person":
            return event.person
        case "session":
            return event.session
        case _:
            return event.value(actor)


def by_actor(events: Iterable[PlainEvent], query: Question, actor: str) -> dict[str, list[PlainEvent]]:
    """The events that count, of each actor in order: no bots, those that meet the question's own conditions."""
    found: dict[str, list[PlainEvent]] = {}
    for event in sorted(events, key=lambda event: event.place):
        whose = actor_of(event, actor)
        if whose is None or (event.is_bot and not query.include_bots):
            continue
        if all(meets(event, condition) for condition in query.filters):
            found.setdefault(whose, []).append(event)
    return found


def inside(event: PlainEvent, stretch: Range) -> bool:
    return stretch.start <= event.time < stretch.end


def period(instant: datetime, granularity: Granularity, zone: ZoneInfo) -> int:
    """A number for the local hour, day, week or month; that of the next one is greater by one.

    Hours are those of UTC: none of the zones in these tests is off by half an hour.
    """
    local = instant.astimezone(zone).date()
    match granularity:
        case "hour":
            return int(instant.timestamp() // 3600)
        case "day":
            return local.toordinal()
        case "week":
            return (local.toordinal() - 1) // 7
        case "month":
            return local.year * 12 + local.month - 1


def period_start(number: int, granularity: Granularity, zone: ZoneInfo) -> datetime:
    """When the period with this number begins."""
    match granularity:
        case "hour":
            return datetime.fromtimestamp(number * 3600, zone)
        case "day":
            day = date.fromordinal(number)
        case "week":
            day = date.fromordinal(number * 7 + 1)
        case "month":
            day = date(number // 12, number % 12 + 1, 1)
    return datetime.combine(day, time(), zone)


def periods_of(stretch: Range, granularity: Granularity) -> list[int]:
    """The periods that a range touches."""
    first = period(stretch.start, granularity, stretch.zone)
    last = period(stretch.end - timedelta(microseconds=1), granularity, stretch.zone)
    return list(range(first, last + 1))


def seconds(later: datetime, earlier: datetime) -> float:
    """Between two instants; of one zone `-` would tell what the clocks on the wall show."""
    return (later.astimezone(UTC) - earlier.astimezone(UTC)).total_seconds()


def spread_of(numbers: Sequence[float]) -> Spread:
    if not numbers:
        return Spread(0)
    return Spread(
        len(numbers),
        statistics.fmean(numbers),
        min(numbers),
        max(numbers),
        *(percentile(numbers, share) for share in (50, 75, 90, 95, 99)),
    )


def percentile(numbers: Sequence[float], percent: float) -> float:
    ordered = sorted(numbers)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def random_selection(random: Random, names: Sequence[str] = ("a", "b", "c", "d")) -> Selection:
    return Selection(
        random.choice(((), (random.choice(names),), (random.choice(names),), tuple(random.sample(names, 2)))),
        random.choice(
            (
                (),
                (),
                (),
                (Filter("country_code", "is", ("KE", "UG")),),
                (Filter("properties.kind", "is_not", ("p",)),),
                (AnyOf((Filter("properties.x", "is_set"), Filter("country_code", "is", ("DE",)))),),
            )
        ),
    )


def random_range(random: Random, beginning: datetime, days: int = 20) -> Range:
    """Whole local days, or any instants."""
    zone = random.choice(ZONES)
    first, last = sorted(random.sample(range(-2, days + 3), 2))
    if random.random() < 0.6:
        day = beginning.astimezone(ZoneInfo(zone)).date()
        start, end = (datetime.combine(day + timedelta(days=shift), time(), ZoneInfo(zone)) for shift in (first, last))
        return Range(start, end, zone)
    start, end = (beginning + timedelta(days=shift, seconds=random.randrange(86_400)) for shift in (first, last))
    return Range(min(start, end), max(start, end), zone)


def random_frame(random: Random, beginning: datetime) -> dict[str, Any]:
    """What all questions have."""
    return {
        "range": random_range(random, beginning),
        "filters": random.choice(((), (), (), (Filter("country_code", "is_not", ("UG",)),))),
        "include_bots": random.random() < 0.2,
    }


def random_case(number: int) -> tuple[Random, datetime, list[PlainEvent], datetime]:
    """A history that begins at some instant, and a moment to ask about it; the same for the same number."""
    random = Random(number)
    beginning = random.choice((CLOCKS_FORWARD, CLOCKS_BACK))
    events = random_history(
        random,
        events=random.choice((0, 1, 5, 20, 60, 120)),
        persons=random.choice((1, 2, 4, 10)),
        days=random.choice((0.1, 2, 20)),
        beginning=beginning,
    )
    now = beginning + timedelta(seconds=random.randrange(30 * 86_400))
    return random, beginning, events, now


def bucket(number: int, granularity: Granularity, zone: ZoneInfo, now: datetime) -> Bucket:
    """The bucket of a period."""
    start, end = (period_start(shifted, granularity, zone) for shifted in (number, number + 1))
    label = start.isoformat(timespec="minutes") if granularity == "hour" else start.date().isoformat()
    return Bucket(start, end, label, complete=end <= now)


def listed(rows: Iterable[tuple[str, datetime]], actor: str) -> tuple[FoundActor, ...]:
    """Actors with the moments that put them in a list: the latest first, those of one moment by name."""
    ordered = sorted(sorted(rows), key=lambda row: row[1], reverse=True)
    return tuple(FoundActor(name, UUID(name) if actor == "person" else None, at) for name, at in ordered)


async def check_list(
    asked: ActorsQuery, events: Sequence[PlainEvent], now: datetime, expected: tuple[FoundActor, ...], number: int
) -> None:
    """Holds a list, and a page out of it, to what an oracle expects, and its length to the number that it is behind."""
    loader = PlainLoader(events)
    assert await evaluate(replace(asked, limit=10_000), loader, now) == ActorsAnswer(expected, number), asked
    page = ActorsAnswer(expected[1:3], number)
    assert await evaluate(replace(asked, offset=1, limit=2), loader, now) == page, asked


def frequent(counts: dict[str | None, int], limit: int) -> list[str | None]:
    """The most frequent values; equals in the order of their texts, a missing value last."""
    return sorted(counts, key=lambda value: (-counts[value], value is None, value or ""))[:limit]


def approximately(found: Any, expected: Any) -> bool:
    """Whether answers are equal but for the last digits of numbers with a fraction."""
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(expected, tuple):
        return len(found) == len(expected) and all(map(approximately, found, expected))
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(approximately(found[key], expected[key]) for key in expected)
    if is_dataclass(expected):
        return type(found) is type(expected) and all(
            approximately(getattr(found, part.name), getattr(expected, part.name)) for part in fields(expected)
        )
    return bool(found == expected)
