"""What a funnel asks, made ready: which options go together, what has to be loaded, which steps carry a chain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.rows import check_actor
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Need
from chatnation.core.query.model import Funnel, Selection
from chatnation.core.query.store import QueryRefused

JOURNEY_START = Field("column", "journey_start")
JOURNEY_END = Field("column", "journey_end")
SECOND = 1_000_000
"""Microseconds."""


@dataclass(frozen=True)
class Plan:
    """A funnel whose options go together. Steps are told by their places in the question, the first is 0."""

    query: Funnel

    @cached_property
    def backbone(self) -> tuple[int, ...]:
        """The steps that are not optional: those that carry a chain on."""
        return tuple(place for place, step in enumerate(self.query.steps) if not step.optional)

    @cached_property
    def optional(self) -> tuple[tuple[int, ...], ...]:
        """The optional steps that follow each step of the backbone."""
        bounds = (*self.backbone, len(self.query.steps))
        return tuple(tuple(range(first + 1, after)) for first, after in pairwise(bounds))

    @cached_property
    def exclusions(self) -> tuple[tuple[int, ...], ...]:
        """The exclusions, by their places in the question, that follow each step of the backbone."""
        exclusions = tuple(enumerate(self.query.exclusions))
        return tuple(tuple(place for place, one in exclusions if one.after == step) for step in self.backbone)

    @cached_property
    def selections(self) -> tuple[Selection, ...]:
        """Those of the steps, then those of the exclusions."""
        return (*(step.select for step in self.query.steps), *(one.select for one in self.query.exclusions))

    @cached_property
    def window(self) -> int:
        """Microseconds."""
        return round(self.query.window * SECOND)

    def within(self, step: int) -> int | None:
        """The step's own limit in microseconds."""
        seconds = self.query.steps[step].within
        return None if seconds is None else round(seconds * SECOND)

    @property
    def any_order(self) -> bool:
        return self.query.order == "any"

    @cached_property
    def constant(self) -> tuple[Field, ...]:
        return tuple(field_of(name, self.query.source) for name in self.query.constant)

    @cached_property
    def by(self) -> Field | None:
        return None if self.query.by is None else field_of(self.query.by, self.query.source)

    @cached_property
    def need(self) -> Need:
        """What is read of the rows, besides what conditions read."""
        fields = {*self.constant}
        if self.by is not None:
            fields.add(self.by)
        if self.query.journey_flags:
            fields |= {JOURNEY_START, JOURNEY_END}
        return Need(columns=frozenset(fields), actors=frozenset({self.query.actor}))

    @property
    def reads_names(self) -> bool:
        """Whether any selection is by name."""
        return any(selection.events for selection in self.selections)


def plan_of(query: Funnel) -> Plan:
    """The plan of a funnel; raises QueryRefused where its options do not go together."""
    plan = Plan(query)
    if any(selection.first for selection in plan.selections):
        raise QueryRefused("Steps and exclusions of a funnel take no `first`; `entry` says which entry counts.")
    check_actor(query.actor, query.source)
    if query.steps[0].optional:
        raise QueryRefused("The first step of a funnel cannot be optional.")
    if query.order == "any":
        if any(step.optional or step.within is not None for step in query.steps):
            raise QueryRefused(
                "In any order, no step is optional or has a limit of its own: none comes before another."
            )
        if query.exclusions:
            raise QueryRefused("In any order, nothing can be excluded between steps: none comes before another.")
    if any(exclusion.after not in plan.backbone[:-1] for exclusion in query.exclusions):
        raise QueryRefused("An exclusion comes after a step that is not optional and not the last one.")
    if query.by is not None and query.attribution == "step" and query.attribution_step >= len(query.steps):
        raise QueryRefused("The breakdown is by a step that the funnel does not have.")
    if query.journey_flags and query.source != "events":
        raise QueryRefused("Only events have journey flags.")
    return plan
