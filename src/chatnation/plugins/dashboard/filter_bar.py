"""The filters of an analytics page as people see them: what is set, what can be added, and what has no effect here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatnation.plugins.dashboard.analytics_query import (
    FILTERS,
    UNKNOWN,
    FilterName,
    GlobalFilter,
    address,
    changed,
)
from chatnation.plugins.dashboard.countries import country_name
from chatnation.plugins.dashboard.names import channel_name
from chatnation.plugins.dashboard.view import View

OFFERS_PATH = "/analytics/filter-values"
"""Where the values that a filter can have are listed."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set: what it says, the address of the page without it, and whether it has an effect here."""

    label: str
    value: str
    without: str
    heeded: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A filter that can be added, and where its values are listed."""

    label: str
    values_url: str


@dataclass(frozen=True, slots=True)
class FilterBar:
    """The filters that are set, those that can be set, and the address of the page without any."""

    chips: Sequence[Chip]
    offers: Sequence[Offer]
    without_any: str

    @classmethod
    def of(cls, view: View[Any], heeded: Sequence[FilterName]) -> FilterBar:
        """The bar of a page whose cards heed some of the filters."""
        chips = []
        for name, values in view.query.chosen().items():
            for value in values:
                rest = [other for other in values if other != value]
                without = view.url(**{name: rest})
                chips.append(Chip(FILTERS[name].label, value_label(name, value), without, name in heeded))
        return cls(
            chips,
            [_offer(view, FILTERS[name]) for name in heeded],
            view.url(**dict.fromkeys(FILTERS)),
        )


def value_label(name: FilterName, value: str) -> str:
    """A value of a filter in words."""
    if value == UNKNOWN:
        return "Unknown"
    if name == "country":
        return country_name(value)
    if name == "journey":
        return value.upper() if len(value) <= 4 else value
    return channel_name(value)


def _offer(view: View[Any], known: GlobalFilter) -> Offer:
    parameters = changed(view.query.parameters(), {"filter": known.name, "back": view.path})
    return Offer(known.label, address(OFFERS_PATH, parameters))
