"""The builder of funnels: a form whose every button works without script, and swaps only the form with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import App, Page
from chatnation.plugins.dashboard.api import AnalyticsQuery, View, address
from chatnation.plugins.funnels import edits
from chatnation.plugins.funnels.address import PATH, parameters_of
from chatnation.plugins.funnels.conditions import OPERATORS
from chatnation.plugins.funnels.drafts import FEWEST_STEPS, Draft, Incomplete, read
from chatnation.plugins.funnels.lengths import NAMES
from chatnation.plugins.funnels.routes import VIEW
from chatnation.query import COLUMNS, SESSION_COLUMNS, TIME_PARTS, Catalogue, CataloguedEvent

EVENTS_OFFERED, FIELDS_OFFERED = 300, 400
SHOW = "show"
"""The button that leads to the funnel."""


class BuilderPages:
    """`/funnel/build`, and what its inputs offer."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        return [Page("/build", self.build, VIEW), Page("/offers", self.offers, VIEW)]

    async def build(self, request: Request) -> Response:
        """The form after one of its buttons; a finished one leads to the funnel."""
        view, form = self._view(request), request.query_params
        saved, draft = _saved(form), read(form)
        button = form.getlist("do")[-1] if "do" in form else ""
        problem = focus = ""
        if button == SHOW:
            try:
                definition = draft.definition()
            except Incomplete as incomplete:
                problem = str(incomplete)
            else:
                return RedirectResponse(view.url(**parameters_of(definition), saved=saved), status_code=303)
        elif button:
            draft, focus = edits.edited(draft, button)
        alone = request.headers.get("hx-request") == "true"
        response: Response = request.state.render(
            "funnels/builder.html" if alone else "funnels/build.html",
            view=view,
            status=422 if problem else 200,
            **builder_values(view, draft if "event.0" in form else Draft(), saved, focus, problem),
        )
        return response

    async def offers(self, request: Request) -> Response:
        """The events that there are, and the fields that these have, for the inputs to suggest."""
        view = self._view(request)
        found = await view.ask(Catalogue(range=view.range, limit=EVENTS_OFFERED))
        response: Response = request.state.render(
            "funnels/offers.html", events=found.events, fields=fields_of(found.events)
        )
        return response

    def _view(self, request: Request) -> View[AnalyticsQuery]:
        return View.of(self._app(), request, PATH, AnalyticsQuery.of(request.query_params))


def builder_values(
    view: View[Any], draft: Draft, saved: UUID | None, focus: str = "", problem: str = ""
) -> Mapping[str, Any]:
    """What the template of the form needs."""
    shared = view.query.shared_parameters()
    return {
        "draft": draft,
        "focus": focus,
        "problem": problem,
        "kept": [*shared, *([("saved", str(saved))] if saved else [])],
        "build_path": f"{PATH}/build",
        "offers_url": address(f"{PATH}/offers", shared),
        "new_url": address(f"{PATH}/build", shared),
        "operators": OPERATORS,
        "units": {unit: f"{name}s" for unit, name in NAMES.items()},
        "fewest_steps": FEWEST_STEPS,
    }


def fields_of(events: tuple[CataloguedEvent, ...]) -> list[str]:
    """Fields to choose from: properties that events have, the most frequent first, and what every event may have."""
    counts: dict[str, int] = {}
    for event in events:
        for found in event.properties:
            name = f"properties.{found.name}"
            counts[name] = counts.get(name, 0) + event.count * found.count
    properties = sorted(counts, key=lambda name: (-counts[name], name))
    visits = [f"session.{name}" for name in SESSION_COLUMNS]
    return [*COLUMNS, *properties, *visits, *(f"time.{part}" for part in TIME_PARTS)][:FIELDS_OFFERED]


def _saved(form: QueryParams) -> UUID | None:
    try:
        return UUID(form.get("saved", ""))
    except ValueError:
        return None
