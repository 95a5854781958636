"""A funnel without a time: its steps and options. That is what is kept, written in addresses, and built on the page."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from chatnation.query import (
    DAY,
    Condition,
    Exclusion,
    Filter,
    Funnel,
    Granularity,
    Range,
    Selection,
    Step,
    UnknownField,
)
from chatnation.query import Field as FieldOf

Order = Literal["ordered", "strict", "any"]
Entry = Literal["best", "first", "totals"]
Attribution = Literal["first", "last", "step", "any"]
Actor = Annotated[str, Field(min_length=1, max_length=200)]
FieldText = Annotated[str, Field(min_length=1, max_length=200)]

MOST_STEPS = 20
WINDOW = 7 * DAY
"""Seconds, where nobody says another."""
LONGEST_WINDOW = 90 * DAY
_CONFIG = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Options(BaseModel):
    """How steps are put together, with the defaults of the query model."""

    model_config = _CONFIG

    order: Order = Field(
        "ordered",
        description="`ordered`: other events may lie between; `strict`: none that matches a step; `any`: in any order.",
    )
    window: float = Field(
        WINDOW, gt=0, le=LONGEST_WINDOW, description="Seconds from step 1 in which the rest has to happen."
    )
    entry: Entry = Field(
        "best", description="Of an actor's entries the one that comes furthest, the `first`, or each (`totals`)."
    )
    actor: Actor = Field("person", description="`person`, `session`, or a field.")
    journey_flags: bool = Field(False, description="Step 1 needs a journey start, the last step a journey end.")
    anchor_first: bool = Field(True, description="In any order: step 1 comes first.")
    anchor_last: bool = Field(False, description="In any order: the last step comes last.")
    exclusions: tuple[Exclusion, ...] = Field((), max_length=10, description="What must not lie between two steps.")
    constant: tuple[FieldText, ...] = Field((), max_length=5, description="Fields in whose values all steps agree.")
    by: FieldText | None = Field(None, description="A field that the funnel is broken down by.")
    attribution: Attribution = Field("first", description="Of which step's event the value of `by` is taken.")
    attribution_step: int = Field(0, ge=0, lt=MOST_STEPS, description="That step, for `step`; the first is 0.")
    limit: int = Field(10, ge=1, le=50, description="Values of the breakdown; the rest is one row.")
    include_bots: bool = Field(False, description="Whether known bots count.")


class Definition(Options):
    """Steps and options that go together."""

    steps: tuple[Step, ...] = Field(min_length=1, max_length=MOST_STEPS)

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        """What the event store would refuse anyway is said while the funnel is built."""
        for fault in faults(self):
            raise ValueError(fault)
        return self

    @property
    def backbone(self) -> list[int]:
        """The places of the steps that are not optional."""
        return [place for place, step in enumerate(self.steps) if not step.optional]

    @property
    def last(self) -> int:
        """The place of the step that is the end of the funnel."""
        return self.backbone[-1]

    def question(
        self,
        stretch: Range,
        conditions: tuple[Condition, ...] = (),
        granularity: Granularity | None = None,
        *,
        compare: bool = False,
    ) -> Funnel:
        """The funnel of a stretch of time."""
        options = {name: getattr(self, name) for name in type(self).model_fields}
        return Funnel(range=stretch, filters=conditions, granularity=granularity, compare=compare, **options)


def faults(definition: Definition) -> list[str]:
    """Why options do not go together."""
    found = []
    if definition.steps[0].optional:
        found.append("The first step cannot be optional.")
    elif any(exclusion.after not in definition.backbone[:-1] for exclusion in definition.exclusions):
        found.append("An exclusion comes after a step that is not optional and not the last one.")
    if definition.order == "any":
        if any(step.optional or step.within is not None for step in definition.steps):
            found.append("In any order, no step can be optional or have a limit of its own.")
        if definition.exclusions:
            found.append("In any order, nothing can be excluded between steps.")
    by_step = definition.by is not None and definition.attribution == "step"
    if by_step and definition.attribution_step >= len(definition.steps):
        found.append("The breakdown is by a step that the funnel does not have.")
    found += [f"There is no field “{name}”." for name in _fields(definition) if not _known(name)]
    return found


def _fields(definition: Definition) -> list[str]:
    names = [*definition.constant]
    if definition.by is not None:
        names.append(definition.by)
    if definition.actor not in {"person", "session"}:
        names.append(definition.actor)
    for select in (*(step.select for step in definition.steps), *(one.select for one in definition.exclusions)):
        names += [condition.field for condition in conditions_of(select)]
    return names


def conditions_of(selection: Selection) -> list[Filter]:
    """Every condition of a selection, alternatives one by one."""
    found: list[Filter] = []
    for condition in selection.filters:
        found += [condition] if isinstance(condition, Filter) else condition.any_of
    return found


def _known(name: str) -> bool:
    try:
        FieldOf.parse(name)
    except UnknownField:
        return False
    return True
