"""The values that a filter can have: fetched by the filter menu of any analytics page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from chatnation import App, Page, Problem
from chatnation.plugins.dashboard.analytics_page import VIEW
from chatnation.plugins.dashboard.analytics_query import FILTERS, UNKNOWN, AnalyticsQuery, FilterName, GlobalFilter
from chatnation.plugins.dashboard.filter_bar import OFFERS_PATH, value_label
from chatnation.plugins.dashboard.view import View
from chatnation.query import Breakdown

MOST = 50
_PAGE = re.compile(r"/[A-Za-z0-9][A-Za-z0-9/_.-]*")
_OURS = ("filter", "back")


class OffersQuery(AnalyticsQuery):
    """Which filter, and the page that asks; all other parameters are those of the page."""

    filter: FilterName
    back: str = Field(max_length=200)


@dataclass(frozen=True, slots=True)
class OfferedValue:
    """A value, how many events have it (None: it is chosen, but none has it), and whether it is chosen."""

    value: str
    label: str
    count: int | None
    chosen: bool


class FilterValues:
    """`/analytics/filter-values`."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [Page(f"/{OFFERS_PATH}", self.offers, VIEW)]

    async def offers(self, request: Request) -> Response:
        query = OffersQuery.of(request.query_params)
        if not _PAGE.fullmatch(query.back):
            raise Problem(422, "invalid_request", "That is no page of this product.")
        view = View.of(self._app(), request, OFFERS_PATH, query)
        known = FILTERS[query.filter]
        chosen = query.chosen().get(query.filter, [])
        rest = [
            (name, value)
            for name, value in request.query_params.multi_items()
            if name not in _OURS and name != query.filter and value
        ]
        response: Response = request.state.render(
            "dashboard/filter_values.html",
            back=query.back,
            filter=query.filter,
            label=known.label,
            keep=rest,
            values=offered(query.filter, await _counts(view, known), chosen),
        )
        return response


def offered(name: FilterName, counts: Counter[str], chosen: Sequence[str]) -> list[OfferedValue]:
    """The most frequent values and the chosen ones, which stay even where nothing has them; unknown last."""
    values = [value for value, _ in counts.most_common(MOST)]
    values += [value for value in chosen if value not in values]
    values.sort(key=lambda value: value == UNKNOWN)
    return [OfferedValue(value, value_label(name, value), counts.get(value), value in chosen) for value in values]


async def _counts(view: View[OffersQuery], known: GlobalFilter) -> Counter[str]:
    answer = await view.ask(Breakdown(range=view.range, by=(known.field,), limit=MOST))
    return Counter({row.values[0] or UNKNOWN: int(row.measures[0] or 0) for row in answer.rows})
