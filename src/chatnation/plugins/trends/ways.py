"""`/trends/paths`: what people do one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatnation import App, Page
from chatnation.plugins.dashboard.api import AnalyticsPage, Card, Chart, View, paths_chart
from chatnation.plugins.trends import choices, definitions, questions
from chatnation.plugins.trends.address import PATH, PathsQuery
from chatnation.plugins.trends.choices import Choice, Text
from chatnation.query import PathNode

DIRECTIONS = (("false", "from there"), ("true", "to there"))
NODES = (("event_name", "events"), ("page_path", "pages"))
DEPTHS = tuple((str(depth), str(depth)) for depth in range(2, 9))


class PathPages:
    """The ways that people take."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [Card("paths", "Paths", self.paths, definitions.PATHS, 12, metric="trends.paths")]
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
            values=self._values,
        ).pages()

    async def paths(self, view: View[PathsQuery]) -> Chart:
        answer = await view.ask(questions.paths(view))

        def leads(source: PathNode, target: PathNode) -> str | None:
            if target.other or target.value is None:
                return None
            return view.url("/events", **{view.query.node: target.value})

        return paths_chart(answer, link=leads, note=f"{answer.paths:,} {'way' if answer.paths == 1 else 'ways'}")

    async def _values(self, view: View[PathsQuery]) -> Mapping[str, Any]:
        query = view.query
        return choices.values(
            view,
            Choice("node", "Steps are", NODES, query.node),
            Choice("towards", "Ways", DIRECTIONS, str(query.towards).lower()),
            await choices.events(view, "event", "Event", "any"),
            Text("page", "On page", query.page, "any"),
            Choice("depth", "Steps", DEPTHS, str(query.depth)),
        )
