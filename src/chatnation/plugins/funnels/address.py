"""A funnel in the address of its page: short where it is simple, so that one can be written by hand.

`/funnel?step=filing_started&step=return_filed&order=strict&window=1d`. A step is the name of an event, or JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.datastructures import QueryParams

from chatnation import Problem
from chatnation.plugins.dashboard.api import AnalyticsQuery
from chatnation.plugins.funnels.definition import MOST_STEPS, WINDOW, Attribution, Definition, Entry, Order
from chatnation.plugins.funnels.journeys import TEMPLATES
from chatnation.plugins.funnels.lengths import PATTERN, read_length, write_length
from chatnation.query import Exclusion, Selection, Step

PATH = "/funnel"
LONGEST_STEP = 4_000
"""Characters of a step in an address."""
StepText = Annotated[str, Field(min_length=1, max_length=LONGEST_STEP)]
FieldText = Annotated[str, Field(min_length=1, max_length=200)]
Outcome = Literal["reached", "dropped", "open"]
_OPTIONS = (
    *("order", "entry", "actor", "journey_flags", "anchor_first", "anchor_last", "constant", "by", "attribution"),
    *("attribution_step", "limit", "include_bots"),
)
"""Options that an address has as they are."""
_PART: TypeAdapter[Step | Exclusion] = TypeAdapter(Step | Exclusion)


class FunnelQuery(AnalyticsQuery):
    """Which funnel is shown, of which period, and whose list is open."""

    step: list[StepText] = Field([], max_length=MOST_STEPS, description="Names of events, or steps as JSON.")
    order: Order = "ordered"
    window: str | None = Field(
        None,
        pattern=PATTERN,
        description="Such as `30m` or `12h`, from step 1; without it, that of the template, or 7d.",
    )
    entry: Entry = "best"
    actor: FieldText = "person"
    journey_flags: bool = False
    anchor_first: bool = True
    anchor_last: bool = False
    exclude: list[StepText] = Field([], max_length=10, description="Exclusions as JSON.")
    constant: list[FieldText] = Field([], max_length=5)
    by: FieldText | None = None
    attribution: Attribution = "first"
    attribution_step: int = Field(0, ge=0, lt=MOST_STEPS)
    limit: int = Field(10, ge=1, le=50)
    include_bots: bool = False
    template: str | None = Field(None, max_length=50, description="A journey that comes along, such as `mri`.")
    saved: UUID | None = Field(None, description="A saved funnel, which fills in what the address does not say.")
    at: int | None = Field(None, ge=0, lt=MOST_STEPS, description="The step of the list of persons; the first is 0.")
    outcome: Outcome = "dropped"
    value: str | None = Field(None, max_length=500, description="A value of the breakdown, for the list of persons.")
    row: Literal["unknown", "other"] | None = Field(
        None, description="The row of the breakdown without a value, or that of all others, for the list of persons."
    )
    offset: int = Field(0, ge=0, le=1_000_000)
    person: UUID | None = Field(None, description="Whose way through the funnel is told.")

    @property
    def names_a_funnel(self) -> bool:
        """Whether the address alone says which funnel it is."""
        return bool(self.step) or self.template in TEMPLATES

    @classmethod
    def of(cls, parameters: QueryParams) -> Self:
        query = super().of(parameters)
        # Equal steps stay: somebody may well have to come twice.
        steps = [text for text in parameters.getlist("step") if text]
        if len(steps) > MOST_STEPS:
            raise Problem(422, "invalid_request", f"A funnel has at most {MOST_STEPS} steps.")
        return query.model_copy(update={"step": steps})

    def definition(self) -> Definition:
        """The funnel that the address says, of a template if it has no steps; raises a 422 where it makes none."""
        template = TEMPLATES.get(self.template or "") if not self.step else None
        usual = template.definition.window if template else WINDOW
        try:
            return Definition.model_validate(
                {
                    **{name: getattr(self, name) for name in _OPTIONS},
                    "steps": template.definition.steps if template else [read_step(text) for text in self.step],
                    "window": usual if self.window is None else read_length(self.window),
                    "exclusions": [from_json(text, allow_inf_nan=False) for text in self.exclude],
                }
            )
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(map(str, fault["loc"]))
            detail = f"{place}: {said(fault['msg'])}" if place else said(fault["msg"])
        except ValueError:
            detail = "a step or an exclusion in it is not JSON."
        raise Problem(422, "invalid_funnel", f"The address makes no funnel; {detail}")


def said(message: str) -> str:
    """What pydantic says, without its own words before what we raised."""
    return message.removeprefix("Value error, ")


def parameters_of(definition: Definition) -> dict[str, Any]:
    """What an address says of a funnel; what is as usual is None, which takes it out of an address."""
    usual = FunnelQuery()
    found: dict[str, Any] = {
        "step": [write_step(step) for step in definition.steps],
        "window": None if definition.window == WINDOW else write_length(definition.window),
        "exclude": [write_part(one) for one in definition.exclusions],
        **{name: getattr(definition, name) for name in _OPTIONS},
    }
    found["constant"] = list(definition.constant)
    return {name: None if value == getattr(usual, name) else value for name, value in found.items()}


FORGOTTEN = dict.fromkeys(("at", "outcome", "value", "row", "offset", "person"))
"""What makes no sense any more once the funnel is another one."""


def read_step(text: str) -> Any:
    """A step of an address, to be validated; raises ValueError for what is no JSON."""
    if text.startswith("{"):
        return from_json(text, allow_inf_nan=False)
    return {"name": text[:100], "select": {"events": [text]}}


def write_step(step: Step) -> str:
    """The reverse of `read_step`."""
    names = step.select.events
    if len(names) == 1 and step == Step(names[0][:100], Selection(names)) and not names[0].startswith("{"):
        return names[0]
    return write_part(step)


def write_part(part: Step | Exclusion) -> str:
    """A step or an exclusion as JSON, without what is as usual."""
    return _PART.dump_json(part, exclude_defaults=True).decode()
