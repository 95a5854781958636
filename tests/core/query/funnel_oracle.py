"""The rule of funnels once more, one event after the other and as slow as it likes: what the evaluator is held to.

Written apart from it: here a chain is walked event by event, there all chains jump from match to match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chatnation.core.query.model import Funnel
from tests.core.query.asking import actor_of, inside, matches, meets, period, seconds
from tests.core.query.histories import PlainEvent


@dataclass
class Chain:
    """`served` has the event of each step; `came` those that carried the chain on, the entry first."""

    actor: str
    query: Funnel
    served: dict[int, PlainEvent] = field(default_factory=dict)
    came: list[PlainEvent] = field(default_factory=list)
    ended: bool = False

    @property
    def backbone(self) -> list[int]:
        return [place for place, step in enumerate(self.query.steps) if not step.optional]

    @property
    def done(self) -> bool:
        return len(self.came) == len(self.backbone)

    def at(self, step: int) -> PlainEvent | None:
        """The event with which a step was reached."""
        if self.query.order == "any":
            return self.came[step] if step < len(self.came) else None
        return self.served.get(step)

    def may_go_on(self, now: datetime) -> bool:
        if self.done or self.ended:
            return False
        limits = [self.came[0].time + timedelta(seconds=self.query.window)]
        within = self.query.steps[self.backbone[len(self.came)]].within
        if within is not None and self.query.order != "any":
            limits.append(self.came[-1].time + timedelta(seconds=within))
        return min(limits) > now

    def value(self) -> str | None:
        assert self.query.by is not None
        match self.query.attribution:
            case "first":
                events = [self.came[0]]
            case "last":
                events = [self.came[-1]]
            case "step":
                events = (
                    [self.served[self.query.attribution_step]] if self.query.attribution_step in self.served else []
                )
            case _:
                events = sorted(self.served.values(), key=lambda event: event.place)
        values = [event.value(self.query.by) for event in events]
        return next((value for value in values if value is not None), None)


def is_step(event: PlainEvent, query: Funnel, place: int) -> bool:
    flagged = not query.journey_flags
    last = [number for number, step in enumerate(query.steps) if not step.optional][-1]
    starts, ends = flagged or place != 0 or event.journey_start, flagged or place != last or event.journey_end
    return starts and ends and matches(event, query.steps[place].select)


def ordered_chain(events: Sequence[PlainEvent], entry: PlainEvent, query: Funnel, actor: str) -> Chain:
    chain = Chain(actor, query, {0: entry}, [entry])
    for event in events[events.index(entry) + 1 :]:
        if seconds(event.time, entry.time) > query.window:
            break
        here = chain.backbone[len(chain.came) - 1]
        following = None if chain.done else chain.backbone[len(chain.came)]
        since = seconds(event.time, chain.came[-1].time)

        def serves(place: int, event: PlainEvent = event, since: float = since) -> bool:
            within = query.steps[place].within
            return is_step(event, query, place) and (within is None or since <= within)

        branches = [place for place in range(here + 1, len(query.steps)) if following is None or place < following]
        if following is not None and serves(following):
            chain.served[following] = event
            chain.came.append(event)
        elif any(exclusion.after == here and matches(event, exclusion.select) for exclusion in query.exclusions):
            chain.ended = True
            break
        elif free := [place for place in branches if place not in chain.served and serves(place)]:
            chain.served[free[0]] = event
        elif query.order == "strict" and any(matches(event, step.select) for step in query.steps):
            chain.ended = True
            break
    return chain


def any_order_chain(events: Sequence[PlainEvent], entry: PlainEvent, query: Funnel, actor: str) -> Chain:
    chain = Chain(actor, query)
    for event in events[events.index(entry) :]:
        if seconds(event.time, entry.time) > query.window:
            break
        places = [0] if event is entry and query.anchor_first else range(len(query.steps))
        for place in places:
            locked = query.anchor_last and place == len(query.steps) - 1 and len(chain.came) < place
            if place not in chain.served and not locked and is_step(event, query, place):
                chain.served[place] = event
                chain.came.append(event)
                break
        if not chain.came:
            break
    return chain


def counted_chains(events: Sequence[PlainEvent], query: Funnel) -> list[Chain]:
    """The chains that count, in no order."""
    histories: dict[tuple[str | None, ...], list[PlainEvent]] = {}
    for event in sorted(events, key=lambda event: event.place):
        key = (actor_of(event, query.actor), *map(event.value, query.constant))
        allowed = query.include_bots or not event.is_bot
        if None not in key and allowed and all(meets(event, condition) for condition in query.filters):
            histories.setdefault(key, []).append(event)
    build = any_order_chain if query.order == "any" else ordered_chain
    of_actor: dict[str, list[Chain]] = {}
    for key, history in histories.items():
        for entry in history:
            if inside(entry, query.range) and (query.order == "any" or is_step(entry, query, 0)):
                chain = build(history, entry, query, str(key[0]))
                if chain.came:
                    of_actor.setdefault(chain.actor, []).append(chain)
    for chains in of_actor.values():
        chains.sort(key=lambda chain: chain.came[0].place)
    if query.entry == "totals":
        return [chain for chains in of_actor.values() for chain in chains]
    if query.entry == "first":
        return [chains[0] for chains in of_actor.values()]
    return [max(chains, key=lambda chain: len(chain.came)) for chains in of_actor.values()]


def trend(chains: Sequence[Chain], query: Funnel) -> dict[int, list[Chain]]:
    """The chains by the number of the period of their entry."""
    found: dict[int, list[Chain]] = {}
    assert query.granularity is not None
    for chain in chains:
        found.setdefault(period(chain.came[0].time, query.granularity, query.range.zone), []).append(chain)
    return found
