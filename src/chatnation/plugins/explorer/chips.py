"""The filters of a list as chips, those of all pages and the list's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from chatnation.plugins.dashboard.api import Chip, FilterBar, FilterName, View, country_name, value_label

LABELS = {
    "event_name": "Event",
    "page_path": "Page",
    "page": "Page",
    "browser": "Browser",
    "browser_name": "Browser",
    "os": "System",
    "os_name": "System",
    "user": "User",
    "user_id": "User",
    "external_id": "Number",
    "q": "Search",
    "where": "Where",
    "bots": "Bots",
    "utm_source": "UTM source",
    "utm_medium": "UTM medium",
    "utm_campaign": "UTM campaign",
    "utm_term": "UTM term",
    "utm_content": "UTM content",
    "is_bot": "Bot",
}
WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def bar_with(view: View[Any], heeded: Iterable[FilterName], own: Mapping[str, Iterable[object]]) -> FilterBar:
    """The bar of a page with the filters of its own: values by parameter."""
    bar = FilterBar.of(view, tuple(heeded))
    chips = list(bar.chips)
    for name, values in own.items():
        listed = list(values)
        for value in listed:
            rest = [other for other in listed if other != value]
            chips.append(Chip(label_of(name), _said(name, value), view.url(**{name: rest, "after": None}), True))
    nothing: dict[str, object] = dict.fromkeys([*own, "after"])
    without = view.url(**dict.fromkeys(view.query.chosen()), **nothing)
    return replace(bar, chips=chips, without_any=without)


def label_of(name: str) -> str:
    """What a filter is called."""
    plain = name.removeprefix("properties.").removeprefix("session.")
    return LABELS.get(plain) or (plain if "." in name else plain.replace("_", " ").capitalize())


def _said(name: str, value: object) -> str:
    text = str(value)
    if name.endswith("weekday") and text in "0123456" and len(text) == 1:
        return WEEKDAYS[int(text)]
    if name.endswith("country_code"):
        return country_name(text)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value_label("device", text) if text == "unknown" else text[:60]
