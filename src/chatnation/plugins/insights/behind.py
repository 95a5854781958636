"""Who is behind a number of an insight: how an address names it, and what is asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from chatnation import Problem
from chatnation.plugins.dashboard.api import PEOPLE, Listed, View
from chatnation.plugins.insights.address import InsightQuery
from chatnation.query import (
    ActorsQuery,
    Cohort,
    Lifecycle,
    LifecycleActors,
    LifecycleBucket,
    PathNode,
    Paths,
    PathsActors,
    PathStep,
    Query,
    Retention,
    RetentionActors,
    Stickiness,
    StickinessActors,
)

InsightView = View[InsightQuery]
LISTS: Mapping[type[Any], tuple[str, TypeAdapter[Any], frozenset[str]]] = {
    Retention: ("retention", TypeAdapter(RetentionActors), frozenset({"cohort", "column", "outcome"})),
    Lifecycle: ("lifecycle", TypeAdapter(LifecycleActors), frozenset({"bucket", "state"})),
    Stickiness: ("stickiness", TypeAdapter(StickinessActors), frozenset({"periods"})),
    Paths: ("paths", TypeAdapter(PathsActors), frozenset({"at", "to"})),
}
"""By the kind of question: where a list has it, and what else an address says of the list."""


def list_of(view: InsightView, question: Query) -> Listed | None:
    """The list that the address names; None where it names none, or the question has no lists.

    Raises a 422 for what is no place of a list.
    """
    if view.query.behind is None or type(question) not in LISTS:
        return None
    name, adapter, parts = LISTS[type(question)]
    try:
        said = json.loads(view.query.behind)
        place = {part: said[part] for part in parts & said.keys()}
        asked: ActorsQuery = adapter.validate_python({name: question, **place})
    except (ValueError, AttributeError, ValidationError) as error:
        raise Problem(422, "invalid_list", "The address names a list that there is not.") from error
    return _WORDS[type(asked)](asked, view.query.period_of)


def cell_url(view: InsightView, cohort: Cohort, column: int | None) -> str:
    """Where those are listed who are behind a cell of retention, or who began."""
    label = cohort.bucket.label
    return _url(view, cohort=label, outcome="began") if column is None else _url(view, cohort=label, column=column)


def state_url(view: InsightView, point: LifecycleBucket, state: str) -> str:
    """Where those are listed who are in a state in a period."""
    return _url(view, bucket=point.bucket.label, state=state)


def often_url(view: InsightView, periods: int) -> str:
    """Where those are listed who came in so many periods."""
    return _url(view, periods=periods)


def step_url(view: InsightView, at: PathNode, to: PathNode | None = None) -> str:
    """Where the ways are listed that come to a step, or that go on from it to the next one."""
    return _url(view, at=_step(at), **({"to": _step(to)} if to else {}))


def _url(view: InsightView, **place: object) -> str:
    return view.url(behind=json.dumps(place, separators=(",", ":"), ensure_ascii=False), offset=None) + PEOPLE


def _step(node: PathNode) -> Mapping[str, object]:
    return {"column": node.column, **({"other": True} if node.other else {"value": node.value})}


def _of_retention(asked: RetentionActors, cut: str) -> Listed:
    began = f"Began in the {cut} of {asked.cohort}" if asked.cohort else f"Began in any {cut}"
    if asked.outcome == "began":
        return Listed(asked, f"{began}.", "Began")
    later = f"{asked.column} {cut}{'' if asked.column == 1 else 's'} later"
    if asked.outcome == "lost":
        return Listed(asked, f"{began}, did not come back {later}.", "Began")
    return Listed(asked, f"{began}, came back {later}.", "Came back last")


def _of_lifecycle(asked: LifecycleActors, cut: str) -> Listed:
    return Listed(asked, f"{asked.state.capitalize()} in the {cut} of {asked.bucket}.", "Came last")


def _of_stickiness(asked: StickinessActors, cut: str) -> Listed:
    return Listed(asked, f"Came in exactly {asked.periods} {cut}{'' if asked.periods == 1 else 's'}.", "Came last")


def _of_paths(asked: PathsActors, cut: str) -> Listed:
    steps = [step for step in (asked.at, asked.to) if step is not None]
    return Listed(asked, f"{' → '.join(map(_step_name, steps))}.", "Came there", rows=("way", "ways"))


def _step_name(step: PathStep) -> str:
    return "Other" if step.other else step.value or "Unknown"


_WORDS: Mapping[type[Any], Callable[[Any, str], Listed]] = {
    RetentionActors: _of_retention,
    LifecycleActors: _of_lifecycle,
    StickinessActors: _of_stickiness,
    PathsActors: _of_paths,
}
