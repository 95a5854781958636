"""A page of analytics from its cards: parses the address, draws what is quick, lets the rest load by itself.

`docs/guides/analytics-page.md` shows how to write one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic

from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, DatabaseUnavailable, Metric, NotFound, Page, Problem, csv_response, record_export
from chatnation.plugins.dashboard.analytics_query import FILTERS, FilterName
from chatnation.plugins.dashboard.begun import begun
from chatnation.plugins.dashboard.cards import Block, Card, Q, download_of, finished
from chatnation.plugins.dashboard.filter_bar import FilterBar
from chatnation.plugins.dashboard.nothing import nothing_of
from chatnation.plugins.dashboard.period import PRESETS
from chatnation.plugins.dashboard.view import EXPORT, View
from chatnation.query import NamesPersons

VIEW = "analytics.view"
PATIENCE = 0.25
"""Seconds that a page waits for its cards; what takes longer is loaded by the page, card by card."""
_AWAY = "Something that the product needs is away for the moment. Try again shortly."
_INTERNAL = "Something went wrong on our side. It was logged under the request id."

Values = Callable[[View[Q]], Awaitable[Mapping[str, Any]]]


class AnalyticsPage(Generic[Q]):
    """The page at `path`: a period, filters, and cards.

    `plugin` is the name of the plugin, against which failures of cards are counted. `query` is the model of the
    address: `AnalyticsQuery`, or a subclass of it with fields of the page's own. `filters`: the global filters that
    the cards heed; others are kept in the address and said to have no effect here. `metrics`: where cards that name a
    metric find their definition. `granular` and `comparable`: whether the switches for the width of buckets and for the
    period before are offered. `needs` says what has to come in for the page to show something; a page whose cards are
    all empty says so instead of each of them. `values(view)` gives what a template of the plugin's own needs besides;
    it extends `dashboard/analytics_page.html`.
    """

    def __init__(
        self,
        app: Callable[[], App],
        plugin: str,
        path: str,
        title: str,
        cards: Sequence[Card[Q]],
        *,
        query: type[Q],
        filters: Sequence[FilterName] = tuple(FILTERS),
        metrics: Iterable[Metric] = (),
        granular: bool = True,
        comparable: bool = True,
        needs: str = "",
        permission: str = VIEW,
        template: str = "dashboard/analytics_page.html",
        values: Values[Q] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._app = app
        self._plugin = plugin
        self._path = path
        self._title = title
        known = {metric.name: metric.definition for metric in metrics}
        self._cards = {card.id: card.defined(known) for card in cards}
        if len(self._cards) != len(cards):
            raise ValueError(f"two cards of {path} have the same id")
        self._query = query
        self._filters = tuple(filters)
        self._granular = granular
        self._comparable = comparable
        self._needs = needs
        self._permission = permission
        self._template = template
        self._values = values
        self._patience = patience

    def pages(self) -> list[Page]:
        """The page, its cards one by one (`/parts/<card>`), and their downloads (`/<card>.csv`)."""
        return [
            Page(f"/{self._path}", self.show, self._permission),
            Page(f"/{self._path}/parts/{{card}}", self.part, self._permission),
            Page(f"/{self._path}/{{card}}.csv", self.download, EXPORT),
        ]

    def view(self, request: Request) -> View[Q]:
        """What a request asks for; raises a 422 where the address makes no sense."""
        return View.of(self._app(), request, self._path, self._query.of(request.query_params))

    async def show(self, request: Request) -> Response:
        view = self.view(request)
        values, blocks = await asyncio.gather(self._own_values(view), self._blocks(view))
        response: Response = request.state.render(
            self._template,
            title=self._title,
            view=view,
            period=view.period,
            previous=view.previous,
            presets=PRESETS,
            blocks=blocks,
            bar=FilterBar.of(view, self._filters),
            granular=self._granular,
            comparable=self._comparable,
            nothing=await nothing_of(view, blocks.values()),
            needs=self._needs,
            kept_query=view.kept,
            **values,
        )
        return response

    async def part(self, request: Request) -> Response:
        """One card by itself."""
        view, card = self.view(request), self._card(request)
        block = await self._block(card, view)
        response: Response = request.state.render(
            "dashboard/card.html", status=block.status, block=block, previous=view.previous
        )
        return response

    async def download(self, request: Request) -> Response:
        """The table of a card as CSV."""
        view, card = self.view(request), self._card(request)
        if not _may_see(card, view):
            raise Problem(403, "forbidden", f"This needs the permission {card.permission}.")
        table = download_of(begun(await card.draw(view), view))
        if table is None:
            raise NotFound("There is no such table.")
        columns, rows = table[0], list(table[1])
        await record_export(self._app(), request, "card", f"{self._path}/{card.id}", **view.asked, rows=len(rows))
        first, last = view.period.first_day, view.period.last_day
        return csv_response(f"{card.id}-{first}-{last}.csv", columns, rows)

    def _card(self, request: Request) -> Card[Q]:
        card = self._cards.get(request.path_params["card"])
        if card is None:
            raise NotFound("There is no such card.")
        return card

    async def _own_values(self, view: View[Q]) -> Mapping[str, Any]:
        return await self._values(view) if self._values else {}

    async def _blocks(self, view: View[Q]) -> dict[str, Block]:
        """Every card, drawn if that is quick."""
        tasks = {card.id: asyncio.create_task(self._block(card, view)) for card in self._cards.values()}
        try:
            await asyncio.wait(tasks.values(), timeout=self._patience)
            return {
                name: task.result() if task.done() else Block(self._cards[name], view, "waiting")
                for name, task in tasks.items()
            }
        finally:
            for task in tasks.values():
                task.cancel()

    async def _block(self, card: Card[Q], view: View[Q]) -> Block:
        if not _may_see(card, view):
            return Block(card, view, "forbidden", status=403)
        try:
            content = begun(await card.draw(view), view)
            return await finished(card, view, content)
        except NamesPersons:
            return Block(card, view, "forbidden", status=403)
        except Problem as problem:
            return Block(card, view, "failed", problem=problem.detail, status=problem.status)
        except DatabaseUnavailable:
            return Block(card, view, "failed", problem=_AWAY, status=503)
        except Exception as error:
            self._app().boundary.note(self._plugin, f"card:{self._path}/{card.id}", error)
            return Block(card, view, "failed", problem=_INTERNAL, status=500)


def _may_see(card: Card[Any], view: View[Any]) -> bool:
    return card.permission is None or view.actor.can(card.permission)
