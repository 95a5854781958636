"""Who is behind the numbers: the list of a step, and one person's way through the funnel."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chatnation.plugins.dashboard.api import Column, DataTable, Part, person_names
from chatnation.plugins.funnels import questions
from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.figures import largest_drop, step_names
from chatnation.plugins.funnels.questions import FunnelView
from chatnation.plugins.funnels.wording import noun
from chatnation.query import FunnelActor, FunnelAnswer

SEE_PERSONS = "persons.view"
PAGE = 10
MOST_DOWNLOADED = 10_000
_ROWS = {"unknown": "those without a value", "other": "the other values"}
_OUTCOMES = (("reached", "reached it"), ("dropped", "dropped off there"), ("open", "may still go on"))


async def people_part(view: FunnelView) -> Part:
    """Those who reached a step, dropped off there or may still go on, a page at a time."""
    definition = view.query.definition()
    step = await _step_asked(view, definition)
    whole = view.request.url.path.endswith(".csv")
    limit, offset = (MOST_DOWNLOADED, 0) if whole else (PAGE, view.query.offset)
    found = await view.ask(questions.actors(view, step, limit, offset))
    names = {} if whole else await person_names(view, (actor.person_id for actor in found.actors))
    step_labels = step_names(definition)
    return Part(
        "funnels/people.html",
        {
            "definition": definition,
            "only": _only(view),
            "step": step,
            "steps": step_labels,
            "outcomes": _OUTCOMES,
            "actors": found.actors,
            "total": found.total,
            "names": names,
            "may_see_persons": view.actor.can(SEE_PERSONS),
            "one": "entry" if definition.entry == "totals" else noun(definition.actor, 1),
            "page": PAGE,
            "downloadable": min(found.total, MOST_DOWNLOADED),
        },
        table=_table(definition, step_labels, found.actors),
    )


def _only(view: FunnelView) -> str | None:
    """What the row of the breakdown that the list is narrowed to is called."""
    asked = view.query
    return (_ROWS[asked.row] if asked.row else asked.value) if asked.by is not None else None


def _table(definition: Definition, steps: list[str], actors: Iterable[FunnelActor]) -> DataTable:
    columns = [Column("actor", noun(definition.actor, 1).capitalize()), Column("entered_at", "Entered")]
    columns += [Column("last_at", "Last step at"), Column("steps_reached", "Steps"), Column("last_step", "Last step")]
    return DataTable(
        columns=columns,
        rows=[
            [
                actor.actor,
                actor.entered_at.isoformat(),
                actor.last_at.isoformat(),
                actor.reached,
                steps[actor.reached - 1],
            ]
            for actor in actors
        ],
    )


async def _step_asked(view: FunnelView, definition: Definition) -> int:
    """The step of the address, or else the one where most drop off."""
    if view.query.at is not None:
        return min(view.query.at, len(definition.steps) - 1)
    drop = largest_drop(definition, await view.ask(questions.funnel(view)))
    return drop.step if drop else 0


async def walk_part(view: FunnelView) -> Part:
    """A person as the funnel saw them: the one of the address, or the latest who came furthest."""
    definition = view.query.definition()
    person_id = view.query.person or await _example(view, definition, await view.ask(questions.funnel(view)))
    if person_id is None:
        return Part("funnels/walk.html", empty=True, empty_text="Nobody entered, so there is nobody to tell of.")
    found = await view.ask(questions.walk(view, person_id))
    names = await person_names(view, [person_id])
    return Part(
        "funnels/walk.html",
        {
            "definition": definition,
            "steps": [step.name for step in definition.steps],
            "walk": found,
            "person_id": person_id,
            "name": names.get(person_id) or f"Visitor {str(person_id)[:8]}",
            "is_example": view.query.person is None,
            "may_see_persons": view.actor.can(SEE_PERSONS),
        },
    )


async def _example(view: FunnelView, definition: Definition, answer: FunnelAnswer) -> UUID | None:
    """Somebody who came as far as anybody."""
    reached = [place for place in definition.backbone if answer.steps[place].reached]
    if not reached:
        return None
    found = await view.ask(questions.furthest(view, reached[-1]))
    return found.actors[0].person_id if found.actors else None
