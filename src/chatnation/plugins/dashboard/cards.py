"""Cards: the pieces that analytics pages are made of. Each is declared once, and loads, fails and downloads alone."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from markupsafe import Markup

from chatnation.plugins.dashboard.analytics_query import AnalyticsQuery
from chatnation.plugins.dashboard.chart_tables import plain
from chatnation.plugins.dashboard.charts import Chart, Kpi
from chatnation.plugins.dashboard.data_tables import DataTable, TablePage
from chatnation.plugins.dashboard.view import View

Q = TypeVar("Q", bound=AnalyticsQuery)

_ID = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class Part:
    """Anything else inside of a card: a template of the plugin, and its values. `table` is what is downloaded."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    table: DataTable | None = None
    empty: bool = False
    empty_text: str = "Nothing was counted in this period."


Content = Chart | DataTable | Part | Sequence[Kpi]


@dataclass(frozen=True, slots=True)
class Card(Generic[Q]):
    """A piece of a page. `draw(view)` gives a chart, a table, a part, or a list of key figures.

    `id` names it in addresses: lower case letters, digits and hyphens. `title` may be empty for key figures.
    `definition` says how it is counted. `width`: of 12 columns on wide screens. `refresh`: seconds after which it is
    asked for again while somebody looks. `permission`: what one needs besides that of the page. `section`: a heading
    above it, for the first card of a section. `metric`: the name of a `Metric`, whose definition it has if the page is
    given the metrics and the card has none of its own.
    """

    id: str
    title: str
    draw: Callable[[View[Q]], Awaitable[Content]]
    definition: str = ""
    width: int = 6
    refresh: int | None = None
    permission: str | None = None
    section: str = ""
    metric: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"{self.id!r} is not the id of a card: use lower case letters, digits and hyphens")

    def defined(self, definitions: Mapping[str, str]) -> Card[Q]:
        """With the definition of its metric, by name, where it has none of its own.

        Raises ValueError where the metric is not defined either.
        """
        if self.definition or not self.metric:
            return self
        if self.metric not in definitions:
            raise ValueError(f"the card {self.id!r} has no definition, and {self.metric!r} is no metric")
        return replace(self, definition=definitions[self.metric])


State = Literal["waiting", "ready", "failed", "forbidden"]
Shape = Literal["chart", "table", "part", "figures", ""]


@dataclass(frozen=True, slots=True)
class Block:
    """A card as it is to be shown. `problem` says what went wrong, where something did; `html` is a part, drawn."""

    card: Card[Any]
    view: View[Any]
    state: State
    content: Content | TablePage | None = None
    problem: str = ""
    status: int = 200
    html: str = ""

    @property
    def shape(self) -> Shape:
        """What kind of content it has."""
        match self.content:
            case None:
                return ""
            case Chart():
                return "chart"
            case TablePage():
                return "table"
            case Part():
                return "part"
        return "figures"

    @property
    def empty(self) -> bool:
        """Whether it is there and has nothing to show; figures of zero have, where there was something before."""
        match self.content:
            case None:
                return False
            case Chart() | Part():
                return self.content.empty
            case TablePage() | DataTable():
                return not self.content.rows
        return not any(kpi.value or kpi.previous for kpi in self.content)

    @property
    def columns(self) -> str:
        """The classes that make it as wide as the card says: narrower screens give it more of the row."""
        width = self.card.width
        if width >= 12:
            return "col-12"
        return f"col-lg-{width}" if width >= 6 else f"col-md-6 col-lg-{width}"

    @property
    def csv(self) -> str | None:
        """Where its table can be downloaded, if it has one and whoever looks may."""
        has_none = self.state != "ready" or (isinstance(self.content, Part) and self.content.table is None)
        return None if has_none or not self.view.may_export else self.view.csv_of(self.card.id)

    @property
    def url(self) -> str:
        """Where the card alone is, in its present order and page."""
        return self.at()

    def at(self, **changes: object) -> str:
        """Where the card alone is, in another order or page."""
        return self.view.url(f"{self.view.path}/parts/{self.card.id}", **{**self._table_state(), **changes})

    def page_at(self, **changes: object) -> str:
        """Where the whole page is, with the card in another order or page."""
        return self.view.url(**{**self._table_state(), **changes})

    def _table_state(self) -> dict[str, object]:
        names = (f"{self.card.id}_sort", f"{self.card.id}_page")
        return {name: self.view.request.query_params[name] for name in names if name in self.view.request.query_params}


async def finished(card: Card[Any], view: View[Any], content: Content) -> Block:
    """The block of a card that was drawn: its chart gets the card's id, title, definition and download."""
    csv = view.csv_of(card.id) if view.may_export else None
    shown: Content | TablePage = content
    if isinstance(content, Chart):
        shown = replace(
            content,
            id=content.id or card.id,
            title=content.title or card.title,
            definition=content.definition or card.definition,
            metric=content.metric or card.metric,
            csv=content.csv or csv,
        )
    elif isinstance(content, DataTable):
        shown = TablePage.of(content, card.id, view)
    html = await _drawn(content, view) if isinstance(content, Part) and not content.empty else ""
    return Block(card, view, "ready", shown, html=html)


async def _drawn(part: Part, view: View[Any]) -> Markup:
    """Drawn here and not within the page, so that a template that fails takes only its card down."""
    page = view.request.state.render(part.template, view=view, **part.values)
    await page.prepare()
    return Markup(page.body.decode())


def download_of(content: Content) -> tuple[Sequence[str], Iterable[Sequence[object]]] | None:
    """Columns and rows of a card's download; None for a part that has none."""
    if isinstance(content, Chart):
        table = content.table
        return table.columns, table.plain()
    if isinstance(content, Part):
        return download_of(content.table) if content.table else None
    if isinstance(content, DataTable):
        return [column.name for column in content.columns], content.plain()
    rows = [(kpi.label, plain(kpi.value), plain(kpi.previous), plain(kpi.change), kpi.unit) for kpi in content]
    return ("figure", "value", "previous", "change_percent", "unit"), rows
