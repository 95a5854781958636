"""The tabs of the trends, and the form with which a page is told what to count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatnation import Problem
from chatnation.plugins.dashboard.api import View, address
from chatnation.plugins.trends import questions
from chatnation.plugins.trends.address import LIST, PATH

TABS = (
    ("Trends", PATH),
    ("Retention", f"{PATH}/retention"),
    ("Lifecycle", f"{PATH}/lifecycle"),
    ("Paths", f"{PATH}/paths"),
    ("Errors", f"{PATH}/errors"),
)
Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Choice:
    """A select field: the parameter that it sets, its label, value and label of each option, and what is chosen."""

    name: str
    label: str
    options: Options
    value: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text field."""

    name: str
    label: str
    value: str
    placeholder: str = ""


def values(view: View[Any], *fields: Choice | Text) -> Mapping[str, Any]:
    """What the template needs: tabs, fields, and the parameters that the form has to keep. No list stays open."""
    own = LIST.union(field.name for field in fields)
    return {
        "tabs_shown": [(label, _tab(view, path), path == view.path) for label, path in TABS],
        "fields": fields,
        "kept_fields": [(name, value) for name, value in view.query.parameters() if name not in own],
    }


async def events(view: View[Any], name: str, label: str, any_: str) -> Choice:
    """A choice of an event that happened in the period. Where the names cannot be told, the chosen one is."""
    chosen: str = getattr(view.query, name)
    try:
        answer = await view.ask(questions.event_names(view.range))
        names = [found for row in answer.rows if (found := row.values[0])]
    except Problem:
        names = []
    if chosen and chosen not in names:
        names = [chosen, *names]
    return Choice(name, label, [("", any_), *((found, found) for found in names)], chosen)


def _tab(view: View[Any], path: str) -> str:
    return address(path, view.query.shared_parameters())
