"""Which rows meet conditions. A condition is decided once for each value of a column, then looked up for each row."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

import numpy as np

from chatnation.core.query.fields import Field
from chatnation.core.query.frame import MISSING, Coded, Frame, Mask, Need
from chatnation.core.query.model import AnyOf, Condition, Filter, Scalar, Selection, Source
from chatnation.core.query.store import QueryRefused

EVENT_NAME = Field("column", "event_name")
IS_BOT = Field("column", "is_bot")

_NEGATIVE = frozenset({"is_not", "not_contains"})
_NO_VALUES = frozenset({"is_set", "is_not_set"})
_NUMERIC = frozenset({"gt", "gte", "lt", "lte", "between"})


def need_of_conditions(conditions: Iterable[Condition], source: Source) -> Need:
    """The columns that conditions read."""
    fields = {Field.parse(single.field, source) for single in _singles(conditions)}
    return Need(columns=frozenset(fields))


def need_of_selections(selections: Iterable[Selection], source: Source) -> Need:
    """The columns that selections read."""
    need = Need()
    for selection in selections:
        need |= need_of_conditions(selection.filters, source)
        if selection.events:
            need |= Need(columns=frozenset({EVENT_NAME}))
    return need


def selected(frame: Frame, selection: Selection, source: Source) -> Mask:
    """The rows of a selection."""
    mask = meets(frame, selection.filters, source)
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
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value


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
    column = frame.column(Field.parse(condition.field, source))
    return _matching(column, _test(condition), missing=condition.operator in _NEGATIVE | {"is_not_set"})


def _matching(column: Coded, test: Callable[[str], bool], *, missing: bool) -> Mask:
    # The place behind the last value is that of rows without one: their code, -1, leads there.
    table = np.fromiter((*map(test, column.values), missing), np.bool_, len(column.values) + 1)
    assert MISSING == -1
    return table[column.codes]


def _test(condition: Filter) -> Callable[[str], bool]:
    """Whether a text meets the condition."""
    operator, values = condition.operator, condition.values
    if operator in _NO_VALUES:
        return lambda text: operator == "is_set"
    if not values:
        raise QueryRefused(f"The condition on {condition.field} needs a value.")
    if operator in _NUMERIC:
        return _numeric(condition)
    texts = [text_of(value) for value in values]
    if operator in ("is", "is_not"):
        equal = _equal(texts)
        return equal if operator == "is" else lambda text: not equal(text)
    if operator == "matches":
        pattern = re.compile("|".join(".*".join(map(re.escape, text.split("*"))) for text in texts), re.DOTALL)
        return lambda text: pattern.fullmatch(text) is not None
    folded = [text.casefold() for text in texts]
    if operator == "starts_with":
        return lambda text: text.casefold().startswith(tuple(folded))
    if operator == "ends_with":
        return lambda text: text.casefold().endswith(tuple(folded))
    contains = operator == "contains"
    return lambda text: any(part in text.casefold() for part in folded) == contains


def _equal(texts: list[str]) -> Callable[[str], bool]:
    """Whether a text is one of `texts`, numbers being equal however they are written."""
    wanted = frozenset(texts)
    numbers = frozenset(number for text in texts if (number := number_of(text)) is not None)
    if not numbers:
        return wanted.__contains__
    return lambda text: text in wanted or number_of(text) in numbers


def _numeric(condition: Filter) -> Callable[[str], bool]:
    wanted = "two numbers" if condition.operator == "between" else "a number"
    bounds = [number_of(text_of(value)) for value in condition.values]
    if None in bounds or len(bounds) != (2 if condition.operator == "between" else 1):
        raise QueryRefused(f"The condition on {condition.field} needs {wanted}.")
    low, high = bounds[0] or 0.0, bounds[-1] or 0.0
    compare: dict[str, Callable[[float], bool]] = {
        "gt": lambda number: number > low,
        "gte": lambda number: number >= low,
        "lt": lambda number: number < low,
        "lte": lambda number: number <= low,
        "between": lambda number: low <= number <= high,
    }
    holds = compare[condition.operator]
    return lambda text: (number := number_of(text)) is not None and holds(number)
