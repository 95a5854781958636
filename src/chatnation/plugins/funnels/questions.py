"""What the cards of a funnel ask. All ask the same question where they can, so that it is answered once."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from chatnation.plugins.dashboard.api import View
from chatnation.plugins.funnels.address import FunnelQuery
from chatnation.query import Breakdown, Funnel, FunnelActors, FunnelWalk, Range, Series

FunnelView = View[FunnelQuery]

EVENTS_OFFERED = 200


def funnel(view: FunnelView) -> Funnel:
    """The funnel of the period, with its trend and breakdown."""
    return view.query.definition().question(view.range, view.conditions(), view.granularity)


def funnel_before(view: FunnelView) -> Funnel:
    """The funnel of the period before: its steps are all that is told of it."""
    return replace(funnel(view), range=view.previous_range, granularity=None, by=None)


def actors(view: FunnelView, step: int, limit: int, offset: int) -> FunnelActors:
    """A page of those who reached a step, dropped off there, or may still go on."""
    asked = view.query
    row = asked.row if asked.by is not None else None
    value = asked.value if asked.by is not None and row is None else None
    return FunnelActors(
        funnel=_bare(view, keep_breakdown=value is not None or row is not None),
        step=step,
        outcome=asked.outcome,
        value=value,
        missing=row == "unknown",
        other=row == "other",
        limit=limit,
        offset=offset,
    )


def furthest(view: FunnelView, step: int) -> FunnelActors:
    """The latest person who came to a step, whatever the funnel counts: somebody to tell of."""
    return FunnelActors(funnel=replace(_bare(view), actor="person"), step=step, outcome="reached", limit=1)


def walk(view: FunnelView, person_id: UUID) -> FunnelWalk:
    """One person's way through the funnel."""
    return FunnelWalk(funnel=_bare(view), person_id=person_id)


def event_names(stretch: Range) -> Breakdown:
    """The names of events in a period, the most frequent first."""
    return Breakdown(range=stretch, by=("event_name",), series=(Series("events"),), limit=EVENTS_OFFERED)


def _bare(view: FunnelView, *, keep_breakdown: bool = False) -> Funnel:
    asked = replace(funnel(view), granularity=None)
    return asked if keep_breakdown else replace(asked, by=None)
