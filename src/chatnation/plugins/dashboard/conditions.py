"""Conditions as people write them in one line: `properties.amount > 100`, `country_code = KE | UG`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from chatnation import Problem
from chatnation.query import Filter, NumberBucket, Operator

SIGNS: Mapping[str, Operator] = {
    "is not set": "is_not_set",
    "is set": "is_set",
    "between": "between",
    "!=": "is_not",
    ">=": "gte",
    "<=": "lte",
    "!~": "not_contains",
    "^=": "starts_with",
    "$=": "ends_with",
    "*=": "matches",
    "=": "is",
    ">": "gt",
    "<": "lt",
    "~": "contains",
}
"""How each comparison is written; what begins like another stands before it."""

WITHOUT_VALUE = frozenset({"is set", "is not set"})
_FORM = re.compile(rf"\s*(\S+?)\s*({'|'.join(map(re.escape, SIGNS))})\s*(.*?)\s*", re.DOTALL)


def parse_condition(line: str) -> Filter:
    """The condition that a line says. Several values are separated by `|`. Raises a 422 that shows how to write it."""
    found = _FORM.fullmatch(line)
    if found is None:
        raise _unreadable(line)
    field, sign, rest = found.groups()
    values = tuple(value.strip() for value in rest.split("|") if value.strip())
    if bool(values) == (sign in WITHOUT_VALUE):
        raise _unreadable(line)
    return Filter(field, SIGNS[sign], values)


def conditions_of(field: str, bucket: NumberBucket) -> list[str] | None:
    """The lines that say that a number of `field` is in a range of a histogram.

    None for a field that no line can name, such as one with a space in it.
    """
    low = [] if bucket.low is None else [f"{field} >= {bucket.low!r}"]
    lines = low if bucket.high is None else [*low, f"{field} < {bucket.high!r}"]
    return lines if all((found := _FORM.fullmatch(line)) and found[1] == field for line in lines) else None


def _unreadable(line: str) -> Problem:
    return Problem(
        422,
        "invalid_condition",
        f"“{line}” is no condition. Write a field, a comparison and a value, such as properties.amount > 100.",
    )
