"""The page of funnels: `/funnel`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from chatnation import App, Page, Problem
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    Card,
    Chart,
    DataTable,
    Kpi,
    Part,
)
from chatnation.plugins.funnels import definitions, figures, people, questions
from chatnation.plugins.funnels.address import FORGOTTEN, PATH, FunnelQuery, parameters_of
from chatnation.plugins.funnels.building import builder_values
from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.drafts import Draft
from chatnation.plugins.funnels.journeys import ENTRY_EVENTS, TEMPLATES, Template
from chatnation.plugins.funnels.queries import SavedFunnel
from chatnation.plugins.funnels.questions import FunnelView
from chatnation.plugins.funnels.saving import MANAGE, SavedFunnels
from chatnation.plugins.funnels.wording import counted_noun, rule, step_words
from chatnation.query import Selection, Step

USUAL_STEPS = 4
"""Where no template fits: the most frequent events are the steps."""


class FunnelPage(AnalyticsPage[FunnelQuery]):
    """A page whose address has to say which funnel it is; one that does not leads to one that does."""

    def __init__(self, app: Callable[[], App], saved: SavedFunnels, cards: Sequence[Card[FunnelQuery]], **more: Any):
        super().__init__(app, "funnels", PATH, "Funnels", cards, query=FunnelQuery, metrics=definitions.METRICS, **more)
        self._saved = saved

    async def show(self, request: Request) -> Response:
        view = self.view(request)
        if view.query.names_a_funnel:
            view.query.definition()  # Refuses an address that makes no funnel, before anything is drawn.
            return await super().show(request)
        return RedirectResponse(await self._elsewhere(request, view), status_code=303)

    async def _elsewhere(self, request: Request, view: FunnelView) -> str:
        if view.query.saved is not None:
            found = await self._saved.one(request, view.query.saved)
            return view.url(**{**parameters_of(found.definition), "template": None})
        steps = await usual_steps(view)
        if steps is None:
            return view.url(template=next(iter(TEMPLATES)))
        return view.url(**parameters_of(Definition(steps=tuple(steps))))


async def usual_steps(view: FunnelView) -> list[Step] | None:
    """The most frequent events, where there are any and no template fits."""
    try:
        answer = await view.ask(questions.event_names(view.range))
    except Problem:
        return None
    names = [name for row in answer.rows if (name := row.values[0])]
    if not names or ENTRY_EVENTS & set(names):
        return None
    steps = [Step(name[:100], Selection((name,))) for name in names[:USUAL_STEPS]]
    return steps if len(steps) > 1 else steps * 2


class FunnelPages:
    """The cards of a funnel."""

    def __init__(self, app: Callable[[], App], saved: SavedFunnels) -> None:
        self._saved = saved
        self._page = FunnelPage(app, saved, self._cards(), template="funnels/funnel.html", values=self._values)

    def pages(self) -> list[Page]:
        return self._page.pages()

    def _cards(self) -> list[Card[FunnelQuery]]:
        return [
            Card("figures", "", self.figures, width=12),
            Card("drop", "", self.drop, width=12),
            Card("steps", "Funnel", self.steps, width=7, metric="funnels.steps"),
            Card("trend", "Conversion over time", self.trend, width=5, metric="funnels.trend"),
            Card("table", "Step by step", self.table, width=12, metric="funnels.steps"),
            Card("groups", "Breakdown", self.groups, width=12, metric="funnels.breakdown"),
            Card("times", "Time to each step", self.times, width=8, metric="funnels.times"),
            Card("histogram", "Time to convert", self.histogram, width=4, metric="funnels.time"),
            Card("people", "Who is behind a step", self.people, width=12, metric="funnels.people"),
            Card("walk", "One person's way", self.walk, width=6),
        ]

    async def figures(self, view: FunnelView) -> list[Kpi]:
        now, before = await view.ask_all(questions.funnel(view), questions.funnel_before(view))
        return figures.key_figures(view, view.query.definition(), now, before)

    async def drop(self, view: FunnelView) -> Part:
        definition = view.query.definition()
        answer = await view.ask(questions.funnel(view))
        drop = figures.largest_drop(definition, answer)
        values = {
            "drop": drop,
            "entered": answer.steps[0].reached,
            "url": figures.people_url(view, drop.step, "dropped") if drop else None,
            "what": counted_noun(definition),
            "any_order": definition.order == "any",
            "metric_text": definitions.DROP,
        }
        return Part("funnels/drop.html", values)

    async def steps(self, view: FunnelView) -> Chart:
        answer = await view.ask(questions.funnel(view))
        before = await view.ask(questions.funnel_before(view)) if view.compare else None
        return figures.steps_chart(view, view.query.definition(), answer, before)

    async def trend(self, view: FunnelView) -> Chart:
        return figures.trend_chart(view, await view.ask(questions.funnel(view)))

    async def table(self, view: FunnelView) -> DataTable:
        return figures.steps_table(view, view.query.definition(), await view.ask(questions.funnel(view)))

    async def groups(self, view: FunnelView) -> DataTable | Part:
        definition = view.query.definition()
        if definition.by is None:
            return Part("funnels/drop.html", empty=True, empty_text="The funnel has no breakdown.")
        return figures.groups_table(view, definition, await view.ask(questions.funnel(view)))

    async def histogram(self, view: FunnelView) -> Chart:
        return figures.histogram_chart(view.query.definition(), await view.ask(questions.funnel(view)))

    async def times(self, view: FunnelView) -> Part:
        table = figures.times_table(view.query.definition(), await view.ask(questions.funnel(view)))
        values = {"rows": table.rows, "figures": [label for _, label in figures.TIMES]}
        return Part("funnels/times.html", values, table, empty=not table.rows, empty_text=figures.NOBODY)

    async def people(self, view: FunnelView) -> Part:
        return await people.people_part(view)

    async def walk(self, view: FunnelView) -> Part:
        return await people.walk_part(view)

    async def _values(self, view: FunnelView) -> Mapping[str, Any]:
        definition = view.query.definition()
        saved = await self._saved.all(view.request)
        current = next((one for one in saved if one.id == view.query.saved), None)
        return {
            **builder_values(view, Draft.of(definition), saved=view.query.saved),
            "definition": definition,
            "step_words": [step_words(step) for step in definition.steps],
            "rule": rule(definition),
            "saved": [(one.name, saved_url(view, one), one is current) for one in saved],
            "templates": [(one.label, template_url(view, one), _is_of(view, one)) for one in TEMPLATES.values()],
            "chosen": current,
            "is_changed": current is not None and current.definition != definition,
            "funnel_title": _title(view, definition, current),
            "may_manage": view.actor.can(MANAGE),
        }


def saved_url(view: FunnelView, saved: SavedFunnel) -> str:
    """The page with a saved funnel."""
    return view.url(**{**parameters_of(saved.definition), **FORGOTTEN, "template": None, "saved": saved.id})


def template_url(view: FunnelView, template: Template) -> str:
    """The page with a template."""
    nothing = dict.fromkeys(parameters_of(template.definition))
    return view.url(**{**nothing, **FORGOTTEN, "saved": None, "template": template.name})


def _is_of(view: FunnelView, template: Template) -> bool:
    return view.query.template == template.name and not view.query.step


def _title(view: FunnelView, definition: Definition, current: SavedFunnel | None) -> str:
    if current is not None:
        return current.name
    template = TEMPLATES.get(view.query.template or "")
    if template is not None and definition.steps == template.definition.steps:
        return template.label
    return "Funnel of your own"
