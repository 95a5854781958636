"""Filters of an address by any field of events: `event_name=return_filed&properties.obligation=mri`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from pydantic import PrivateAttr
from starlette.datastructures import QueryParams

from chatnation import Problem
from chatnation.plugins.dashboard.api import UNKNOWN, AnalyticsQuery
from chatnation.query import AnyOf, Condition, Field, Filter, UnknownField

MOST_FIELDS, MOST_VALUES, LONGEST_VALUE, LONGEST_NAME = 10, 50, 500, 200
FieldFilters = Mapping[str, list[str]]
EVENT_NAME = "event_name"
ALIASES = {"page": "page_path", "browser": "browser_name", "os": "os_name"}
"""Shorter names that addresses may have."""


class FieldQuery(AnalyticsQuery):
    """An address of an analytics page with filters by fields of events besides.

    A parameter is such a filter where its name is that of a field and none that the page has itself. Several values of
    one field are alternatives; `unknown` stands for none, and for values that are that word.
    """

    _fields: dict[str, list[str]] = PrivateAttr(default_factory=dict)

    @classmethod
    def of(cls, parameters: QueryParams) -> Self:
        query = super().of(parameters)
        query._fields = field_filters(parameters.multi_items(), known=cls.model_fields)
        return query

    @property
    def fields(self) -> FieldFilters:
        """Values by field, in the order given."""
        return self._fields

    @property
    def event_names(self) -> tuple[str, ...]:
        """The names of events that are wanted; all where there are none."""
        return tuple(name for name in self._fields.get(EVENT_NAME, ()) if name != UNKNOWN)

    def field_conditions(self) -> tuple[Condition, ...]:
        """The filters by other fields than the name, as conditions of a question."""
        return tuple(condition_on(name, values) for name, values in self._fields.items() if name != EVENT_NAME)

    def parameters(self) -> list[tuple[str, str]]:
        return super().parameters() + [(name, value) for name, values in self._fields.items() for value in values]


def field_filters(parameters: Iterable[tuple[str, str]], known: Mapping[str, Any]) -> dict[str, list[str]]:
    """Those parameters that are fields of events; raises a 422 for what looks like one and is none."""
    found: dict[str, list[str]] = {}
    for given, value in parameters:
        name = ALIASES.get(given, given)
        if given in known or not value or not _is_field(name):
            continue
        values = found.setdefault(name, [])
        if value not in values:
            values.append(value)
        if len(found) > MOST_FIELDS or len(values) > MOST_VALUES or len(value) > LONGEST_VALUE:
            raise Problem(422, "invalid_request", "These are too many filters, or too long ones.")
    return found


def condition_on(field: str, values: Sequence[str]) -> Condition:
    """That a field has one of the values; `unknown` stands for none, and for what is called so."""
    named = Filter(field, "is", tuple(values))
    return AnyOf((named, Filter(field, "is_not_set"))) if UNKNOWN in values else named


def _is_field(name: str) -> bool:
    """Whether it names a field. With a dot it is meant to be one."""
    if not name or len(name) > LONGEST_NAME:
        return False
    try:
        Field.parse(name)
    except UnknownField:
        if name.partition(".")[0] in ("properties", "person", "session", "time") and "." in name:
            raise Problem(422, "invalid_request", f"Events have no field {name}.") from None
        return False
    return True
