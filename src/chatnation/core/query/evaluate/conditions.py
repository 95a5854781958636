"""Which rows meet conditions. A condition is decided once for each value of a column, then looked up for each row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from chatnation.core.query.evaluate.local import LocalFrame, loadable
from chatnation.core.query.fields import Field, UnknownField
from chatnation.core.query.frame import MISSING, Coded, Frame, Mask, Need
from chatnation.core.query.model import AnyOf, Condition, Filter, Scalar, Selection, Source
from chatnation.core.query.store import QueryRefused

EVENT_NAME = Field("column", "event_name")
IS_BOT = Field("column", "is_bot")

_NEGATIVE = frozenset({"is_not", "not_contains"})
_NO_VALUES = frozenset({"is_set", "is_not_set"})
_NUMERIC = frozenset({"gt", "gte", "lt", "lte", "between"})


def need_of_conditions(conditions: Iterable[Condition], source: Source) -> Need:
    """The columns that conditions read. Raises QueryRefused where one makes no sense."""
    fields = set()
    for single in _singles(conditions):
        fields.add(field_of(single.field, source))
        _test(single)
    return loadable(Need(columns=frozenset(fields)))


def need_of_selections(selections: Iterable[Selection], source: Source) -> Need:
    """The columns that selections read. Raises QueryRefused where one makes no sense."""
    need = Need()
    for selection in selections:
        need |= need_of_conditions(selection.filters, source)
        if selection.events:
            if source != "events":
                raise QueryRefused("Sessions have no names: leave `events` out of the selection.")
            need |= Need(columns=frozenset({EVENT_NAME}))
    return need


def field_of(text: str, source: Source) -> Field:
    """The field that a text names; raises QueryRefused where there is none."""
    try:
        return Field.parse(text, source)
    except UnknownField as unknown:
        raise QueryRefused(str(unknown)) from unknown


def selected(frame: Frame, selection: Selection, source: Source) -> Mask:
    """The rows of a selection; one with `first` needs a frame of `rows.load`."""
    mask = meets(frame, selection.filters, source)
    if selection.first is not None:
        assert isinstance(frame, LocalFrame)
        mask &= frame.firsts[repr(selection)]
    if selection.events:
        mask &= _matching(frame.column(EVENT_NAME), frozenset(selection.events).__contains__, missing=False)
    return mask


def meets(frame: Frame, conditions: Iterable[Condition], source: Source) -> Mask:
    """The rows that meet all of the conditions."""
    mask = np.ones(frame.size, np.bool_)
    for condition in conditions:
        if isinstance(condition, AnyOf):
            any_of = np.zeros(frame.size, np.bool_)
            for single in condition.any_of:
                any_of |= _meets(frame, single, source)
            mask &= any_of
        else:
            mask &= _meets(frame, condition, source)
    return mask


def text_of(value: Scalar) -> str:
    """A value as the columns hold it: flags `true` and `false`, whole numbers without a point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def number_of(text: str) -> float | None:
    """The number that a text is, or None; neither infinities nor flags are."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _singles(conditions: Iterable[Condition]) -> Iterable[Filter]:
    for condition in conditions:
        yield from condition.any_of if isinstance(condition, AnyOf) else (condition,)


def _meets(frame: Frame, condition: Filter, source: Source) -> Mask:
    column = frame.column(field_of(condition.field, source))
    if condition.operator in _NO_VALUES:
        mask: Mask = column.codes != MISSING if condition.operator == "is_set" else column.codes == MISSING
        return mask
    return _matching(column, _test(condition), missing=condition.operator in _NEGATIVE)


def _matching(column: Coded, test: Callable[[str], bool], *, missing: bool) -> Mask:
    # The place behind the last value is that of rows without one: their code, -1, leads there.
    table = np.fromiter((*map(test, column.values), missing), np.bool_, len(column.values) + 1)
    assert MISSING == -1
    mask: Mask = table[column.codes]
    return mask


def _test(condition: Filter) -> Callable[[str], bool]:
    """Whether a text meets the condition; raises QueryRefused where it has no values, or wrong ones."""
    operator, values = condition.operator, condition.values
    if operator in _NO_VALUES:
        return lambda text: operator == "is_set"
    if not values:
        raise QueryRefused(f"The condition on {condition.field} needs a value.")
    if operator in _NUMERIC:
        return _numeric(condition)
    if operator in ("is", "is_not"):
        equal = _equal(values)
        return equal if operator == "is" else lambda text: not equal(text)
    texts = [text_of(value) for value in values]
    if operator == "matches":
        patterns = [text.split("*") for text in texts]
        return lambda text: any(_fits(text, parts) for parts in patterns)
    folded = tuple(text.casefold() for text in texts)
    if operator == "starts_with":
        return lambda text: text.casefold().startswith(folded)
    if operator == "ends_with":
        return lambda text: text.casefold().endswith(folded)
    contains = operator == "contains"
    return lambda text: any(part in text.casefold() for part in folded) == contains


def _equal(values: Iterable[Scalar]) -> Callable[[str], bool]:
    """Whether a text is one of the values: texts as they are, numbers however they are written."""
    values = tuple(values)
    texts = frozenset(text_of(value) for value in values)
    numbers = frozenset(float(value) for value in values if not isinstance(value, bool | str))
    if not numbers:
        return texts.__contains__
    return lambda text: text in texts or number_of(text) in numbers


def _fits(text: str, parts: list[str]) -> bool:
    """Whether a text is the parts with anything between them.

    Each part is taken where it comes first, so the time does not explode with the number of parts, as that of a regular
    expression may.
    """
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    place, end = len(first), len(text) - len(last)
    if place > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


def _numeric(condition: Filter) -> Callable[[str], bool]:
    wanted = "two numbers" if condition.operator == "between" else "a number"
    bounds = [number_of(text_of(value)) for value in condition.values]
    if None in bounds or len(bounds) != (2 if condition.operator == "between" else 1):
        raise QueryRefused(f"The condition on {condition.field} needs {wanted}.")
    low, high = bounds[0] or 0.0, bounds[-1] or 0.0  # zero is zero; None was refused
    compare: dict[str, Callable[[float], bool]] = {
        "gt": lambda number: number > low,
        "gte": lambda number: number >= low,
        "lt": lambda number: number < low,
        "lte": lambda number: number <= low,
        "between": lambda number: low <= number <= high,
    }
    holds = compare[condition.operator]
    return lambda text: (number := number_of(text)) is not None and holds(number)
