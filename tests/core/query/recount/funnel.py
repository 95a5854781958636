"""How far actors came, and who they are; the rule itself is in `tests/core/query/funnel_oracle.py`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from statistics import NormalDist
from uuid import UUID

from chatnation.core.query.answers import (
    FunnelActor,
    FunnelActorsAnswer,
    FunnelAnswer,
    FunnelBucket,
    FunnelGroup,
    FunnelStep,
    NumberBucket,
    Spread,
)
from chatnation.core.query.model import Funnel, FunnelActors
from tests.core.query.asking import bucket, frequent, percentile, period, periods_of, seconds, spread_of
from tests.core.query.funnel_oracle import Chain, counted_chains
from tests.core.query.histories import PlainEvent
from tests.core.query.recount.distribution import buckets_of

Z = NormalDist().inv_cdf(0.975)
MINUTE, HOUR, DAY = 60, 3600, 86_400
WIDTHS = [1, 2, 5, 10, 15, 30]
WIDTHS += [count * MINUTE for count in (1, 2, 5, 10, 15, 30)]
WIDTHS += [count * HOUR for count in (1, 2, 3, 6, 12)]
WIDTHS += [count * DAY for count in (1, 2, 3, 7, 14)]


def recount(query: Funnel, events: Sequence[PlainEvent], now: datetime) -> FunnelAnswer:
    chains = counted_chains(events, query)
    last = [place for place, step in enumerate(query.steps) if not step.optional][-1]
    converted = [chain for chain in chains if chain.done]
    return FunnelAnswer(
        tuple(step_of(query, chains, place, now) for place in range(len(query.steps))),
        share(len(converted), len(chains)),
        histogram([took(chain, last, 0) for chain in converted]) if last else (),
        tuple(groups_of(query, chains, last)) if query.by else (),
        tuple(trend_of(query, chains, now)) if query.granularity else (),
        recount(replace(query, range=query.range.previous(), compare=False), events, now) if query.compare else None,
    )


def actors(asked: FunnelActors, events: Sequence[PlainEvent], now: datetime) -> FunnelActorsAnswer:
    """Who came to a step, dropped off there, or may still go on."""
    query = asked.funnel
    chains = counted_chains(events, query)
    shown = [chain for chain in chains if is_among(chain, asked, now) and is_of_row(chain, asked, chains)]
    shown.sort(key=lambda chain: (-chain.came[0].time.timestamp(), chain.actor, chain.came[-1].time, len(chain.came)))
    told = tuple(
        FunnelActor(
            chain.actor,
            UUID(chain.actor) if query.actor == "person" else None,
            chain.came[0].time,
            chain.came[-1].time,
            chain.backbone[len(chain.came) - 1] + 1,
        )
        for chain in shown
    )
    return FunnelActorsAnswer(told[asked.offset : asked.offset + asked.limit], len(told))


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def took(chain: Chain, place: int, since: int) -> float:
    """Seconds from one step to another."""
    until, start = chain.at(place), chain.at(since)
    assert until is not None
    assert start is not None
    return seconds(until.time, start.time)


def step_of(query: Funnel, chains: Sequence[Chain], place: int, now: datetime) -> FunnelStep:
    backbone = [number for number, step in enumerate(query.steps) if not step.optional]
    there = [chain for chain in chains if chain.at(place)]
    stopped = [
        chain
        for chain in there
        if place in backbone and len(chain.came) == backbone.index(place) + 1 and not chain.done
    ]
    before = max((number for number in backbone if number < place), default=None)
    low, high = (None, None) if before is None else wilson(len(there), len(chains))
    return FunnelStep(
        query.steps[place].name,
        len(there),
        share(len(there), len(chains)),
        None if before is None else share(len(there), sum(chain.at(before) is not None for chain in chains)),
        sum(not chain.may_go_on(now) for chain in stopped),
        sum(chain.may_go_on(now) for chain in stopped),
        low,
        high,
        Spread(0) if before is None else spread_of([took(chain, place, before) for chain in there]),
        Spread(0) if before is None else spread_of([took(chain, place, 0) for chain in there]),
        query.steps[place].optional,
    )


def wilson(part: int, whole: int) -> tuple[float | None, float | None]:
    """E. B. Wilson's bounds of a share: the shares from which this one is no further off than chance explains.

    They are the roots of (p - x)^2 = z^2 x (1 - x) / n.
    """
    if not whole:
        return None, None
    p = part / whole
    a, b, c = 1 + Z**2 / whole, -(2 * p + Z**2 / whole), p**2
    root = math.sqrt(max(0.0, b**2 - 4 * a * c))
    return max(0.0, (-b - root) / (2 * a)), min(1.0, (-b + root) / (2 * a))


def histogram(times: Sequence[float]) -> tuple[NumberBucket, ...]:
    """Ten buckets, of the least width that reads well and leaves no more than a twentieth to the last one."""
    if not times:
        return ()
    width = next((width for width in WIDTHS if width * 10 >= percentile(times, 95)), WIDTHS[-1])
    return buckets_of(times, [float(width * place) for place in range(10)])


def groups_of(query: Funnel, chains: Sequence[Chain], last: int) -> list[FunnelGroup]:
    reached: dict[str | None, list[int]] = {}
    for chain in chains:
        row = reached.setdefault(chain.value(), [0] * len(query.steps))
        for place in range(len(query.steps)):
            row[place] += chain.at(place) is not None
    kept = frequent({value: row[0] for value, row in reached.items()}, query.limit)
    converted = sum(row[last] for row in reached.values())
    found = []
    for value in kept:
        row = reached.pop(value)
        rest = converted - row[last], len(chains) - row[0]
        found.append(
            FunnelGroup(value, tuple(row), share(row[last], row[0]), significant=differ(row[last], row[0], *rest))
        )
    if reached:
        row = [sum(each) for each in zip(*reached.values(), strict=True)]
        found.append(FunnelGroup(None, tuple(row), share(row[last], row[0]), other=True))
    return found


def differ(part: int, whole: int, other: int, other_whole: int) -> bool:
    """A z-test of two shares, where at least five are expected to convert, and not to, on both sides."""
    if not whole or not other_whole:
        return False
    common = (part + other) / (whole + other_whole)
    if any(size * chance < 5 for size in (whole, other_whole) for chance in (common, 1 - common)):
        return False
    deviation = math.sqrt(common * (1 - common) * (1 / whole + 1 / other_whole))
    return abs(part / whole - other / other_whole) / deviation > Z


def trend_of(query: Funnel, chains: Sequence[Chain], now: datetime) -> list[FunnelBucket]:
    assert query.granularity is not None
    zone = query.range.zone
    found = []
    for number in periods_of(query.range, query.granularity):
        entered = [chain for chain in chains if period(chain.came[0].time, query.granularity, zone) == number]
        converted = sum(chain.done for chain in entered)
        its = bucket(number, query.granularity, zone, now)
        found.append(
            FunnelBucket(
                its,
                len(entered),
                converted,
                sum(chain.may_go_on(now) for chain in entered),
                share(converted, len(entered)),
                mature=seconds(now, its.end) >= query.window,
            )
        )
    return found


def is_among(chain: Chain, asked: FunnelActors, now: datetime) -> bool:
    if asked.outcome == "reached":
        return chain.at(asked.step) is not None
    if asked.funnel.steps[asked.step].optional or chain.done:
        return False
    may = chain.may_go_on(now)
    return chain.backbone.index(asked.step) + 1 == len(chain.came) and may == (asked.outcome == "open")


def is_of_row(chain: Chain, asked: FunnelActors, chains: Sequence[Chain]) -> bool:
    if asked.value is not None:
        return chain.value() == asked.value
    if asked.missing:
        return chain.value() is None
    if asked.other:
        entries = Counter(other.value() for other in chains if other.at(0) is not None)
        return chain.value() not in frequent(dict(entries), asked.funnel.limit)
    return True
