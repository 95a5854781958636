"""`/trends/paths`: what people do one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatnation import App, Page
from chatnation.plugins.dashboard.api import (
    PEOPLE,
    AnalyticsPage,
    Card,
    Chart,
    Listed,
    Part,
    View,
    nobody_asked_for,
    paths_chart,
    people_card,
    people_part,
)
from chatnation.plugins.trends import choices, definitions, questions
from chatnation.plugins.trends.address import PATH, PathsQuery, read_step, write_step
from chatnation.plugins.trends.choices import Choice, Text
from chatnation.query import PathNode, PathsActors, PathsAnswer, PathStep

Look = View[PathsQuery]
HOW = "A step or a stream of the diagram, or its number in the table, leads to the people who came that way."
DIRECTIONS = (("false", "from there"), ("true", "to there"))
NODES = (("event_name", "events"), ("page_path", "pages"))
DEPTHS = tuple((str(depth), str(depth)) for depth in range(2, 9))


class PathPages:
    """The ways that people take."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("paths", "Paths", self.paths, definitions.PATHS, 12, metric="trends.paths"),
            people_card(self.people, metric="trends.people"),
        ]
        return AnalyticsPage(
            self._app,
            "trends",
            f"{PATH}/paths",
            "Paths",
            cards,
            query=PathsQuery,
            granular=False,
            comparable=False,
            template="trends/page.html",
            metrics=definitions.METRICS,
            values=self._values,
        ).pages()

    async def paths(self, view: Look) -> Chart:
        answer = await view.ask(questions.paths(view))
        return paths_chart(
            answer,
            link=lambda source, target: _url(view, source, target),
            node_link=lambda node: _url(view, node),
            note=f"{answer.paths:,} {'way' if answer.paths == 1 else 'ways'}",
        )

    async def people(self, view: Look) -> Part:
        answer = await view.ask(questions.paths(view))
        listed = _listed(view, answer)
        if listed is None:
            return nobody_asked_for(HOW, empty=not answer.links)
        return await people_part(view, listed)

    async def _values(self, view: Look) -> Mapping[str, Any]:
        query = view.query
        return choices.values(
            view,
            Choice("node", "Steps are", NODES, query.node),
            Choice("towards", "Ways", DIRECTIONS, str(query.towards).lower()),
            await choices.events(view, "event", "Event", "any"),
            Text("page", "On page", query.page, "any"),
            Choice("depth", "Steps", DEPTHS, str(query.depth)),
        )


def _listed(view: Look, answer: PathsAnswer) -> Listed | None:
    """The list of the address; None where it has none, or one of a step that is not shown."""
    query = view.query
    if query.at is None:
        return None
    at, to = read_step(query.at), read_step(query.to) if query.to else None
    shown = {PathStep(node.column, node.value, node.other) for node in answer.nodes}
    steps = [step for step in (at, to) if step is not None]
    if not shown.issuperset(steps) or (to is not None and to.column != at.column + 1):
        return None
    first = min(step.column for step in shown)
    names = " → ".join("Other" if step.other else step.value or "Unknown" for step in steps)
    places = " to ".join(str(step.column - first + 1) for step in steps)
    return Listed(
        PathsActors(paths=questions.paths(view), at=at, to=to),
        f"{names}, {'column' if to is None else 'columns'} {places}.",
        "Came there",
        rows=("way", "ways"),
    )


def _url(view: Look, at: PathNode, to: PathNode | None = None) -> str:
    """Where the list of those who came to a step is, or of those who went on from it to the next one."""
    return view.url(at=_named(at), to=_named(to) if to else None, offset=None) + PEOPLE


def _named(node: PathNode) -> str:
    return write_step(PathStep(node.column, node.value, node.other))
