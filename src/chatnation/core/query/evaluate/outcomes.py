"""What became of attempts: the first listed of several things that an actor did after beginning one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import Attempt, OutcomeCounts, OutcomesAnswer, OutcomesBucket, OutcomesGroup, Spread
from chatnation.core.query.evaluate.attempts import Attempts, attempts
from chatnation.core.query.evaluate.calendar import bucket_of, buckets
from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.frequency import most_frequent
from chatnation.core.query.evaluate.rows import check_names
from chatnation.core.query.evaluate.spread import spread
from chatnation.core.query.frame import MISSING, Loader, Rows
from chatnation.core.query.instants import SECOND
from chatnation.core.query.model import Outcomes, Tell
from chatnation.core.query.store import QueryRefused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def answer(query: Outcomes, loader: Loader, now: datetime) -> OutcomesAnswer:
    """Attempts by what became of them, altogether, by time and by a field."""
    check_names(outcome.name for outcome in query.outcomes)
    by = field_of(query.by, query.source) if query.by is not None else None
    found = await attempts(query, loader, query.range, by, now)
    before = await attempts(query, loader, query.range.previous(), None, now) if query.compare else None
    told, told_of = _told(query, query.tell, found) if query.tell is not None else ((), 0)
    return OutcomesAnswer(
        _total(query, found),
        _trend(query, found, now),
        _groups(query, found),
        _total(query, before) if before else None,
        _took(query, found),
        _took(query, before) if before else {},
        _outside(query, found),
        _outside(query, before) if before else {},
        told,
        told_of,
    )


def _counts(query: Outcomes, fates: Rows, groups: NDArray[np.integer], size: int) -> list[OutcomeCounts]:
    """What became of the attempts of each of so many groups."""
    names = [outcome.name for outcome in query.outcomes]
    width = len(names) + 2
    table = np.bincount(groups * width + fates, minlength=size * width).reshape(size, width)
    return [
        OutcomeCounts(sum(row), dict(zip(names, row, strict=False)), none=row[-2], open=row[-1])
        for row in table.tolist()
    ]


def _total(query: Outcomes, found: Attempts) -> OutcomeCounts:
    (total,) = _counts(query, found.fates, np.zeros_like(found.fates), 1)
    return total


def _trend(query: Outcomes, found: Attempts, now: datetime) -> tuple[OutcomesBucket, ...]:
    if query.granularity is None:
        return ()
    periods = buckets(query.range, query.granularity, now)
    counts = _counts(query, found.fates, bucket_of(found.began, periods), len(periods))
    return tuple(map(OutcomesBucket, periods, counts))


def _groups(query: Outcomes, found: Attempts) -> tuple[OutcomesGroup, ...]:
    if found.value is None:
        return ()
    ranked = most_frequent(found.value.codes, found.value.values, query.limit)
    counts = _counts(query, found.fates, ranked.places, len(ranked.counts))
    groups = [OutcomesGroup(value, count) for value, count in zip(ranked.values, counts, strict=False)]
    if ranked.beyond:
        groups.append(OutcomesGroup(None, counts[-1], other=True))
    return tuple(groups)


def _took(query: Outcomes, found: Attempts) -> Mapping[str, Spread]:
    lengths = (found.came - found.began) / SECOND
    return {outcome.name: spread(lengths[found.fates == place]) for place, outcome in enumerate(query.outcomes)}


def _outside(query: Outcomes, found: Attempts) -> Mapping[str, int]:
    return {outcome.name: count for outcome, count in zip(query.outcomes, found.outside, strict=False)}


def _told(query: Outcomes, tell: Tell, found: Attempts) -> tuple[tuple[Attempt, ...], int]:
    """A page of attempts, and how many there are."""
    names = [*(outcome.name for outcome in query.outcomes), "none", "open"]
    unknown = set(tell.outcomes) - set(names)
    if unknown:
        raise QueryRefused(f"There is no outcome {min(unknown)!r} to tell.")
    wanted = np.isin(
        found.fates, [place for place, name in enumerate(names) if name in tell.outcomes or not tell.outcomes]
    )
    if tell.value is not None:
        if found.value is None:
            raise QueryRefused("There is no breakdown to take a value from.")
        values = list(found.value.values)
        wanted &= found.value.codes == (values.index(tell.value) if tell.value in values else len(values))
    # Rows are in the order of events, so the last row is the latest.
    places = np.flatnonzero(wanted)
    places = places[np.argsort(-found.rows[places])]
    page = places[tell.offset : tell.offset + tell.limit]
    return tuple(_attempt(query, found, names, place) for place in page.tolist()), len(places)


def _attempt(query: Outcomes, found: Attempts, names: list[str], place: int) -> Attempt:
    actors = found.did.frame.actors(query.actor)
    code = int(actors.codes[found.rows[place]])
    fate = int(found.fates[place])
    value = found.value.codes[place] if found.value is not None else MISSING
    return Attempt(
        actors.names.label(code),
        actors.names.person(code) if query.actor == "person" else None,
        _instant(int(found.began[place])),
        None if value == MISSING or found.value is None else found.value.values[value],
        names[fate],
        _instant(int(found.came[place])) if fate < len(query.outcomes) else None,
    )


def _instant(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)
