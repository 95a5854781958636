"""What the buttons of the builder do: add, remove and move steps, conditions and exclusions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatnation.plugins.funnels.definition import MOST_STEPS
from chatnation.plugins.funnels.drafts import (
    FEWEST_STEPS,
    MOST_CONDITIONS,
    MOST_EXCLUSIONS,
    Draft,
    DraftCondition,
    DraftExclusion,
    DraftStep,
)


def edited(draft: Draft, button: str) -> tuple[Draft, str]:
    """The draft after a button, such as `up:2`, and the id of what the focus goes to."""
    name, *numbers = button.split(":")
    places = [int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 4]
    edit = _EDITS.get(name)
    if edit is None or len(places) != len(numbers):
        return draft, ""
    return edit(draft, *places[:2]) if places else edit(draft, -1)


def _add(draft: Draft, place: int, _: int = 0) -> tuple[Draft, str]:
    if draft.most_steps:
        return draft, ""
    place = len(draft.steps) if place < 0 else min(place, len(draft.steps))
    steps = [*draft.steps[:place], DraftStep(), *draft.steps[place:]]
    return _moved(draft, steps, {old: old + (old >= place) for old in range(MOST_STEPS)}), f"event-{place}"


def _remove(draft: Draft, place: int, _: int = 0) -> tuple[Draft, str]:
    if len(draft.steps) <= FEWEST_STEPS or not 0 <= place < len(draft.steps):
        return draft, ""
    steps = [*draft.steps[:place], *draft.steps[place + 1 :]]
    moved = {old: old - (old > place) for old in range(MOST_STEPS) if old != place}
    return _moved(draft, steps, moved), f"event-{min(place, len(steps) - 1)}"


def _up(draft: Draft, place: int, _: int = 0) -> tuple[Draft, str]:
    if not 0 < place < len(draft.steps):
        return draft, ""
    return _swapped(draft, place, place - 1), f"up-{place - 1}" if place > 1 else "down-0"


def _down(draft: Draft, place: int, _: int = 0) -> tuple[Draft, str]:
    last = len(draft.steps) - 1
    if not 0 <= place < last:
        return draft, ""
    return _swapped(draft, place, place + 1), f"down-{place + 1}" if place + 1 < last else f"up-{last}"


def _swapped(draft: Draft, one: int, other: int) -> Draft:
    steps = list(draft.steps)
    steps[one], steps[other] = steps[other], steps[one]
    moved = {old: {one: other, other: one}.get(old, old) for old in range(MOST_STEPS)}
    return _moved(draft, steps, moved)


def _moved(draft: Draft, steps: Sequence[DraftStep], places: dict[int, int]) -> Draft:
    """Other steps, with what refers to a step going along with it; the exclusions of a removed one go with it too."""
    exclusions = [
        replace(exclusion, after=places[exclusion.after]) for exclusion in draft.exclusions if exclusion.after in places
    ]
    step = places.get(draft.attribution_step, 0)
    return replace(draft, steps=steps, exclusions=exclusions, attribution_step=step)


def _add_condition(draft: Draft, place: int, _: int = 0) -> tuple[Draft, str]:
    if not 0 <= place < len(draft.steps) or len(draft.steps[place].conditions) >= MOST_CONDITIONS:
        return draft, ""
    conditions = draft.steps[place].conditions
    return _with_conditions(draft, place, [*conditions, DraftCondition()]), f"field-{place}-{len(conditions)}"


def _remove_condition(draft: Draft, place: int, number: int = 0) -> tuple[Draft, str]:
    if not 0 <= place < len(draft.steps):
        return draft, ""
    conditions = [one for other, one in enumerate(draft.steps[place].conditions) if other != number]
    return _with_conditions(draft, place, conditions), f"condition-{place}"


def _with_conditions(draft: Draft, place: int, conditions: Sequence[DraftCondition]) -> Draft:
    steps = list(draft.steps)
    steps[place] = replace(steps[place], conditions=conditions)
    return replace(draft, steps=steps)


def _exclude(draft: Draft, *_: int) -> tuple[Draft, str]:
    if len(draft.exclusions) >= MOST_EXCLUSIONS:
        return draft, ""
    return replace(draft, exclusions=[*draft.exclusions, DraftExclusion()]), f"xevent-{len(draft.exclusions)}"


def _include(draft: Draft, place: int, _: int = 0) -> tuple[Draft, str]:
    exclusions = [one for other, one in enumerate(draft.exclusions) if other != place]
    return replace(draft, exclusions=exclusions), "exclude"


_EDITS: dict[str, Callable[..., tuple[Draft, str]]] = {
    "add": _add,
    "remove": _remove,
    "up": _up,
    "down": _down,
    "condition": _add_condition,
    "uncondition": _remove_condition,
    "exclude": _exclude,
    "include": _include,
}
