"""A funnel while it is built: what stands in the form, complete or not, and what its buttons do to it.

A field of the form is named after its step: `name.0`, `event.0` (repeated), `page.0`, `field.0.1` (condition 1 of step
0). A condition that the form cannot show is carried along as JSON, `kept.0.1`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.datastructures import QueryParams

from chatnation.plugins.funnels.address import said
from chatnation.plugins.funnels.conditions import BETWEEN_VALUES, WITHOUT_VALUE, in_words, value_text
from chatnation.plugins.funnels.definition import MOST_STEPS, WINDOW, Definition
from chatnation.plugins.funnels.lengths import in_unit, read_length
from chatnation.query import Condition, Exclusion, Filter, Selection, Step

FEWEST_STEPS = 2
MOST_CONDITIONS = 20
MOST_EXCLUSIONS = 10
PAGE = "page_path"
_CONDITION: TypeAdapter[Condition] = TypeAdapter(Filter | Condition)
_INDEXED = re.compile(r"[a-z_]+\.(\d{1,2})(?:\.(\d{1,2}))?")


class Incomplete(ValueError):
    """The form makes no funnel; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class DraftCondition:
    """A row of the form. `kept`: a condition that rows cannot show, as JSON."""

    field: str = ""
    operator: str = "is"
    values: str = ""
    kept: str = ""

    @classmethod
    def of(cls, condition: Condition) -> DraftCondition:
        """The row of a condition."""
        plain = isinstance(condition, Filter) and not any(BETWEEN_VALUES in str(value) for value in condition.values)
        if not isinstance(condition, Filter) or not plain:
            return cls(kept=_CONDITION.dump_json(condition).decode())
        values = f" {BETWEEN_VALUES} ".join(value_text(value) for value in condition.values)
        return cls(condition.field, condition.operator, values)

    @property
    def words(self) -> str:
        """What a condition says that rows cannot show."""
        return in_words(_CONDITION.validate_json(self.kept))

    def data(self) -> dict[str, Any] | None:
        """The condition; None for an empty row."""
        if self.kept:
            found: dict[str, Any] = from_json(self.kept, allow_inf_nan=False)
            return found
        values = [value.strip() for value in self.values.split(BETWEEN_VALUES) if value.strip()]
        name = self.field.strip()
        if not name:
            if values:
                raise Incomplete("A condition has a value, but no field.")
            return None
        if self.operator in WITHOUT_VALUE:
            return {"field": name, "operator": self.operator}
        if not values:
            raise Incomplete(f"The condition on “{name}” needs a value.")
        if self.operator == "between" and len(values) != 2:
            raise Incomplete(f"Between which two values shall “{name}” be? Write them as 10 {BETWEEN_VALUES} 20.")
        return {"field": name, "operator": self.operator, "values": values}


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step in the form. `page` is a pattern of the path."""

    name: str = ""
    events: Sequence[str] = ()
    page: str = ""
    conditions: Sequence[DraftCondition] = ()
    optional: bool = False
    within: str = ""
    unit: str = "m"

    @classmethod
    def of(cls, step: Step) -> DraftStep:
        """The form of a step."""
        page, conditions = _page_of(step.select)
        within, unit = in_unit(step.within) if step.within is not None else ("", "m")
        events = step.select.events
        name = "" if step.name == _usual_name(events, page) else step.name
        return cls(name, events, page, conditions, step.optional, within, unit)

    @property
    def more(self) -> bool:
        """Whether anything is set that stands behind “More”."""
        return bool(self.conditions or self.optional or self.within)

    def data(self, number: int) -> dict[str, Any]:
        """The step, the first is number 1."""
        select = _selection(self.events, self.page, self.conditions)
        if not select["events"] and not select["filters"]:
            raise Incomplete(f"Step {number} needs an event, a page or a condition.")
        name = self.name.strip() or _usual_name(self.events, self.page.strip()) or f"Step {number}"
        found: dict[str, Any] = {"name": name[:100], "select": select, "optional": self.optional}
        if self.within.strip():
            found["within"] = _length(self.within, self.unit, f"The time limit of step {number}")
        return found


@dataclass(frozen=True, slots=True)
class DraftExclusion:
    """Events that must not lie between a step and the next."""

    events: Sequence[str] = ()
    page: str = ""
    conditions: Sequence[DraftCondition] = ()
    after: int = 0

    @classmethod
    def of(cls, exclusion: Exclusion) -> DraftExclusion:
        """The form of an exclusion."""
        page, conditions = _page_of(exclusion.select)
        return cls(exclusion.select.events, page, conditions, exclusion.after)

    def data(self) -> dict[str, Any] | None:
        """The exclusion; None for an empty row."""
        select = _selection(self.events, self.page, self.conditions)
        if not select["events"] and not select["filters"]:
            return None
        return {"select": select, "after": self.after}


@dataclass(frozen=True, slots=True)
class Draft:
    """All that stands in the form. Numbers are as they were typed."""

    steps: Sequence[DraftStep] = (DraftStep(), DraftStep())
    exclusions: Sequence[DraftExclusion] = ()
    order: str = "ordered"
    window: str = f"{in_unit(WINDOW)[0]}"
    unit: str = in_unit(WINDOW)[1]
    entry: str = "best"
    actor: str = "person"
    journey_flags: bool = False
    anchor_first: bool = True
    anchor_last: bool = False
    constant: str = ""
    by: str = ""
    attribution: str = "first"
    attribution_step: int = 0
    limit: str = "10"
    include_bots: bool = False

    @classmethod
    def of(cls, definition: Definition) -> Draft:
        """The form of a funnel."""
        window, unit = in_unit(definition.window)
        return cls(
            steps=[DraftStep.of(step) for step in definition.steps],
            exclusions=[DraftExclusion.of(exclusion) for exclusion in definition.exclusions],
            window=window,
            unit=unit,
            constant=", ".join(definition.constant),
            by=definition.by or "",
            limit=str(definition.limit),
            **{name: getattr(definition, name) for name in _AS_THEY_ARE},
        )

    @property
    def most_steps(self) -> bool:
        return len(self.steps) >= MOST_STEPS

    @property
    def more(self) -> bool:
        """Whether anything is set that stands behind “More options”."""
        usual = Draft()
        names = (*(name for name in _AS_THEY_ARE if name not in _IN_SIGHT), "constant", "limit")
        return bool(self.exclusions) or any(getattr(self, name) != getattr(usual, name) for name in names)

    def definition(self) -> Definition:
        """The funnel that was built; raises Incomplete."""
        if len(self.steps) < FEWEST_STEPS:
            raise Incomplete(f"A funnel needs at least {FEWEST_STEPS} steps.")
        exclusions = [data for exclusion in self.exclusions if (data := exclusion.data()) is not None]
        given = {
            "steps": [step.data(number) for number, step in enumerate(self.steps, 1)],
            "exclusions": exclusions,
            "window": _length(self.window, self.unit, "The window"),
            "constant": [name.strip() for name in self.constant.split(",") if name.strip()],
            "by": self.by.strip() or None,
            "limit": self.limit.strip() or 10,
            **{name: getattr(self, name) for name in _AS_THEY_ARE},
            "attribution_step": self.attribution_step if self.attribution == "step" else 0,
        }
        try:
            return Definition.model_validate(given)
        except ValidationError as error:
            fault = error.errors(include_input=False, include_url=False)[0]
            place = "".join(f"{part}: " for part in fault["loc"][:1])
            raise Incomplete(f"{place}{said(fault['msg'])}") from None


_AS_THEY_ARE = (
    *("order", "entry", "actor", "journey_flags", "anchor_first", "anchor_last", "attribution", "attribution_step"),
    "include_bots",
)
_IN_SIGHT = frozenset({"order", "actor", "attribution_step"})
"""Of these, what is always in sight, or says nothing by itself."""


def read(form: QueryParams) -> Draft:
    """What was sent. Whatever was not is empty, so that any address is a form."""
    draft = Draft(
        steps=[_step(form, place) for place in _places(form, "event")] or Draft().steps,
        exclusions=[_exclusion(form, place) for place in _places(form, "xevent")],
        order=form.get("order", "ordered"),
        window=form.get("window", ""),
        unit=form.get("unit", "d"),
        entry=form.get("entry", "best"),
        actor=form.get("actor", "").strip() or "person",
        journey_flags="journey_flags" in form,
        anchor_first="anchor_first" in form,
        anchor_last="anchor_last" in form,
        constant=form.get("constant", ""),
        by=form.get("by", ""),
        attribution=form.get("attribution", "first"),
        attribution_step=_number(form.get("attribution_step", "")),
        limit=form.get("limit", ""),
        include_bots="include_bots" in form,
    )
    return replace(draft, steps=draft.steps[:MOST_STEPS], exclusions=draft.exclusions[:MOST_EXCLUSIONS])


def _step(form: QueryParams, place: int) -> DraftStep:
    return DraftStep(
        name=form.get(f"name.{place}", ""),
        events=_texts(form, f"event.{place}"),
        page=form.get(f"page.{place}", ""),
        conditions=_conditions(form, "", place),
        optional=f"optional.{place}" in form,
        within=form.get(f"within.{place}", ""),
        unit=form.get(f"within_unit.{place}", "m"),
    )


def _exclusion(form: QueryParams, place: int) -> DraftExclusion:
    return DraftExclusion(
        events=_texts(form, f"xevent.{place}"),
        page=form.get(f"xpage.{place}", ""),
        conditions=_conditions(form, "x", place),
        after=_number(form.get(f"xafter.{place}", "")),
    )


def _conditions(form: QueryParams, prefix: str, place: int) -> list[DraftCondition]:
    found: dict[int, DraftCondition] = {}
    for key in form:
        match = _INDEXED.fullmatch(key)
        if match is None or match[2] is None or int(match[1]) != place:
            continue
        number, kind = int(match[2]), key.partition(".")[0]
        if kind == f"{prefix}field":
            found[number] = DraftCondition(
                form[key],
                form.get(f"{prefix}operator.{place}.{number}", "is"),
                form.get(f"{prefix}value.{place}.{number}", ""),
            )
        elif kind == f"{prefix}kept" and _is_condition(form[key]):
            found[number] = DraftCondition(kept=form[key])
    return [found[number] for number in sorted(found)][:MOST_CONDITIONS]


def _is_condition(text: str) -> bool:
    try:
        _CONDITION.validate_json(text)
    except ValidationError:
        return False
    return True


def _places(form: QueryParams, kind: str) -> list[int]:
    found = {int(match[1]) for key in form if key.startswith(f"{kind}.") and (match := _INDEXED.fullmatch(key))}
    return sorted(found)


def _texts(form: QueryParams, key: str) -> list[str]:
    return list(dict.fromkeys(text.strip() for text in form.getlist(key) if text.strip()))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _length(number: str, unit: str, what: str) -> float:
    try:
        seconds = read_length(f"{number.strip()}{unit}")
    except ValueError:
        raise Incomplete(f"{what} is no length of time.") from None
    if seconds <= 0:
        raise Incomplete(f"{what} has to be longer than nothing.")
    return seconds


def _page_of(select: Selection) -> tuple[str, list[DraftCondition]]:
    """The pattern of the page, and the other conditions."""
    page, others = "", []
    for condition in select.filters:
        is_page = isinstance(condition, Filter) and condition.field == PAGE and condition.operator == "matches"
        if is_page and not page and isinstance(condition, Filter) and len(condition.values) == 1:
            page = str(condition.values[0])
        else:
            others.append(DraftCondition.of(condition))
    return page, others


def _selection(events: Sequence[str], page: str, conditions: Sequence[DraftCondition]) -> dict[str, Any]:
    pages = [{"field": PAGE, "operator": "matches", "values": [page.strip()]}] if page.strip() else []
    others = [data for condition in conditions if (data := condition.data()) is not None]
    return {"events": list(events), "filters": [*pages, *others]}


def _usual_name(events: Sequence[str], page: str) -> str:
    if page:
        return page if not events or tuple(events) == ("page_view",) else f"{events[0]} {page}"
    return " or ".join(events)[:100]
