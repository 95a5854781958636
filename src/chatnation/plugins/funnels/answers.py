"""Bodies and answers of the API of funnels."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from chatnation.plugins.dashboard.api import PeriodAnswer, PeriodQuery
from chatnation.plugins.funnels.definition import MOST_STEPS, Definition, Options
from chatnation.plugins.funnels.saving import LONGEST_NAME
from chatnation.query import (
    Condition,
    Filter,
    FunnelBucket,
    FunnelGroup,
    Granularity,
    NumberBucket,
    Selection,
    Spread,
    Step,
)

Text = Annotated[str, Field(min_length=1, max_length=200)]
Scalar = str | float | bool


def _either(snake: str, camel: str) -> AliasChoices:
    return AliasChoices(snake, camel)


class StepBody(BaseModel):
    """A step. `event_name` is the name of an event, or several of which one has to happen."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    name: str | None = Field(None, max_length=100, description="What it is called; without it, after its events.")
    event_name: Text | Annotated[list[Text], Field(max_length=100)] | None = Field(
        None, validation_alias=_either("event_name", "eventName"), description="Without it, any event."
    )
    filters: Annotated[tuple[Condition, ...], Field(max_length=50)] | dict[Text, Scalar | list[Scalar]] = Field(
        (), description="Conditions of the query model; or fields and the value, or values, that they must have."
    )
    within: float | None = Field(None, gt=0, description="Seconds after the step before.")
    optional: bool = False

    def step(self, number: int) -> Step:
        """The step of the query model, the first is number 1."""
        given = self.event_name
        events = () if given is None else (given,) if isinstance(given, str) else tuple(given)
        return Step(
            self.name or " or ".join(events)[:100] or f"Step {number}",
            Selection(events, self._conditions()),
            self.within,
            self.optional,
        )

    def _conditions(self) -> tuple[Condition, ...]:
        if not isinstance(self.filters, dict):
            return self.filters
        return tuple(
            Filter(name, "is", tuple(value) if isinstance(value, list) else (value,))
            for name, value in self.filters.items()
        )


class FunnelBody(Options, PeriodQuery):
    """A funnel, and the time that it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start_date: date | datetime | None = Field(
        None,
        validation_alias=_either("start_date", "startDate"),
        description="First day, or the instant of the beginning; without an offset in the tenant's time zone.",
    )
    end_date: date | datetime | None = Field(
        None,
        validation_alias=_either("end_date", "endDate"),
        description="Last day, that whole day included; or the instant before which it ends.",
    )
    steps: list[StepBody] = Field(min_length=1, max_length=MOST_STEPS)
    journey_flags: bool = Field(
        False,
        validation_alias=AliasChoices("journey_flags", "use_journey_flags", "useJourneyFlags"),
        description="Step 1 needs a journey start, the last step a journey end.",
    )
    strict: bool | None = Field(
        None,
        description="True: the steps in their order (`ordered`); false: in any order. `order` says it more exactly.",
    )
    tenant_id: int | str | None = Field(
        None,
        validation_alias=_either("tenant_id", "tenantId"),
        description="Without effect: the tenant is that of whoever asks.",
    )
    filters: tuple[Condition, ...] = Field((), max_length=50, description="Conditions on all events.")
    granularity: Granularity | None = Field(None, description="Adds the trend, by the time of entry.")
    compare: bool = Field(False, description="Adds the funnel of the equally long period before.")

    @model_validator(mode="after")
    def _order_once(self) -> FunnelBody:
        if self.strict is not None and "order" in self.model_fields_set:
            raise ValueError("Say either `strict` or `order`.")
        return self

    def definition(self) -> Definition:
        """The funnel without its time; raises ValidationError where options do not go together."""
        options: dict[str, Any] = {name: getattr(self, name) for name in Options.model_fields}
        if self.strict is not None:
            options["order"] = "ordered" if self.strict else "any"
        if self.strict is False:
            options["anchor_first"] = "anchor_first" in self.model_fields_set and self.anchor_first
        return Definition(steps=tuple(step.step(number) for number, step in enumerate(self.steps, 1)), **options)


class StepAnswer(BaseModel):
    """A step. Of those who came here and no further, `dropped` cannot go on any more, `open` still can."""

    name: str
    event_name: str | None = Field(description="The name of its event; the first of several; null for any event.")
    events: list[str]
    optional: bool
    count: int = Field(description="How many came here or further.")
    percent: float | None = Field(description="Share of the first step, in percent; null where nobody entered.")
    percent_of_previous: float | None = Field(description="Share of the step before, in percent.")
    low: float | None = Field(description="Lower bound of the share of the first step, 0 to 1 (Wilson, 95 %).")
    high: float | None = Field(description="Its upper bound.")
    dropped: int
    open: int
    from_previous: Spread = Field(description="Seconds since the step before.")
    from_first: Spread = Field(description="Seconds since step 1.")


class Figures(BaseModel):
    """What a funnel counts in a period."""

    period: PeriodAnswer = Field(description="The period of the entries.")
    counted: str = Field(description="What the counts are counts of, such as `persons`.")
    entered: int
    converted: int
    open: int = Field(description="How many may still go on.")
    conversion: float | None = Field(description="Share of step 1 that reached the last step, 0 to 1.")
    steps: list[StepAnswer]
    histogram: list[NumberBucket] = Field(description="Seconds from step 1 to the last step, and how many took them.")
    groups: list[FunnelGroup] = Field(description="By the values of `by`; the rows add up to the funnel.")
    trend: list[FunnelBucket] = Field(description="By the time of entry, where `granularity` is given.")


class FunnelResult(Figures):
    """A funnel, and that of the period before where it is compared."""

    previous: Figures | None


class SavedBody(BaseModel):
    """A funnel to be kept."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=LONGEST_NAME)
    definition: Definition


class SavedChange(BaseModel):
    """What shall be different."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, min_length=1, max_length=LONGEST_NAME)
    definition: Definition | None = None
