"""The journeys behind a number, one by one."""

from __future__ import annotations

from collections.abc import Iterable

from chatnation.plugins.dashboard.api import Column, DataTable, Part, person_names
from chatnation.plugins.journeys import questions
from chatnation.plugins.journeys.address import JourneysView
from chatnation.plugins.journeys.counts import in_words
from chatnation.plugins.journeys.labels import UNKNOWN
from chatnation.plugins.journeys.questions import ABANDONED, ASSISTED, COMPLETED, IN_PROGRESS
from chatnation.plugins.journeys.rules import Rules
from chatnation.query import Attempt, Filter, Tell

SEE_PERSONS = "persons.view"
PAGE = 10
MOST_DOWNLOADED = 10_000
_ASKED = {"assisted": ASSISTED, "completed": COMPLETED, "abandoned": ABANDONED, "in_progress": IN_PROGRESS}
LABELS = {"assisted": "Assisted", "completed": "Completed", "abandoned": "Abandoned", "in_progress": "In progress"}
_TONES = {"assisted": "blue", "completed": "green", "abandoned": "orange", "in_progress": "secondary"}
_CALLED = {theirs: ours for ours, theirs in _ASKED.items()}


async def told_part(view: JourneysView, rules: Rules) -> Part:
    """A page of journeys, the latest first; as a download, all of them."""
    asked = view.query
    whole = view.request.url.path.endswith(".csv")
    tell = Tell(
        tuple(_ASKED[outcome] for outcome in asked.outcome),
        limit=MOST_DOWNLOADED if whole else PAGE,
        offset=0 if whole else asked.offset,
    )
    where = view.conditions()
    if asked.name:
        where = *where, Filter(rules.name_field, "is", tuple(asked.name))
    found = await view.ask(questions.journeys_told(rules, view.range, where, tell))
    names = {} if whole else await person_names(view, (one.person_id for one in found.told))
    return Part(
        "journeys/told.html",
        {
            "rows": [_row(one, rules) for one in found.told],
            "total": found.told_of,
            "names": names,
            "may_see_persons": view.actor.can(SEE_PERSONS),
            "outcomes": LABELS,
            "called": ", ".join(dict.fromkeys(rules.labels.label(name) for name in asked.name)),
            "page": PAGE,
            "downloadable": min(found.told_of, MOST_DOWNLOADED),
        },
        table=_table(found.told, rules),
        empty=not found.told_of and not (asked.outcome or asked.name or asked.offset),
        empty_text="No journey began in this period.",
    )


def _row(one: Attempt, rules: Rules) -> dict[str, object]:
    outcome = _CALLED[one.outcome]
    return {
        "person_id": one.person_id,
        "started_at": one.started_at,
        "journey": rules.labels.label(one.value or UNKNOWN),
        "outcome": LABELS[outcome],
        "tone": _TONES[outcome],
        "after": in_words((one.came_at - one.started_at).total_seconds()) if one.came_at else "",
    }


def _table(told: Iterable[Attempt], rules: Rules) -> DataTable:
    columns = [Column("person", "Person"), Column("started_at", "Started"), Column("journey", "Journey")]
    columns += [Column("outcome", "Outcome"), Column("outcome_at", "Outcome at")]
    return DataTable(
        columns=columns,
        rows=[
            [
                one.actor,
                one.started_at.isoformat(),
                rules.labels.label(one.value or UNKNOWN),
                _CALLED[one.outcome],
                one.came_at.isoformat() if one.came_at else "",
            ]
            for one in told
        ],
    )
