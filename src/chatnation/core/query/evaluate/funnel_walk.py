"""One person in a funnel: what it saw of them, what it took, and why they came no further."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from chatnation.core.query.answers import FunnelWalkAnswer, WalkEvent
from chatnation.core.query.evaluate.conditions import EVENT_NAME, meets
from chatnation.core.query.evaluate.funnel.chains import NOWHERE, Ended, best_of
from chatnation.core.query.evaluate.funnel.counted import Counted, counted, last_moment
from chatnation.core.query.evaluate.funnel.histories import require_flags, selected_bits
from chatnation.core.query.evaluate.funnel.plan import Plan, plan_of
from chatnation.core.query.evaluate.funnel.verdict import never_entered, verdict
from chatnation.core.query.evaluate.local import LocalFrame
from chatnation.core.query.evaluate.rows import load, relevant
from chatnation.core.query.frame import Actors, Loader, Mask, Need, Rows
from chatnation.core.query.model import Filter, FunnelWalk

MOST_EVENTS = 500
_BEFORE = 50
"""So many events before the entry are told of a person who has too many."""
BOTS = Filter("is_bot", "is", (True,))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def answer(query: FunnelWalk, loader: Loader, now: datetime) -> FunnelWalkAnswer:
    """The person's events that match a step or an exclusion, and the chain that counts; of several the deepest."""
    funnel = query.funnel
    plan = plan_of(funnel)
    need = plan.need | Need(columns=frozenset({EVENT_NAME}), actors=frozenset({"person"}))
    stretch = (funnel.range.start, last_moment(plan, funnel.range))
    frame = _theirs(await load(funnel, loader, need, plan.selections, stretch), plan, query.person_id)
    theirs = _of_person(frame.actors("person"), query.person_id)
    return _told(_deepest(counted(frame, plan, funnel.range, now)), theirs)


def _theirs(frame: LocalFrame, plan: Plan, person_id: UUID) -> LocalFrame:
    """The rows of the person, and of whoever else the funnel takes for the same actors."""
    rows = _of_person(frame.actors("person"), person_id)
    actors = frame.actors(plan.query.actor)
    wanted = np.zeros(len(actors.names) + 1, np.bool_)
    wanted[actors.codes[rows]] = True
    wanted[-1] = False
    return frame.take(wanted[actors.codes] | rows)


def _of_person(persons: Actors, person_id: UUID) -> Mask:
    for code in np.unique(persons.codes[persons.codes >= 0]).tolist():
        if persons.names.person(code) == person_id:
            mask: Mask = persons.codes == code
            return mask
    return np.zeros(len(persons.codes), np.bool_)


def _deepest(found: Counted) -> Counted:
    """Leaves the deepest chain, of equally deep ones the first."""
    by_entry = found.chains.take(np.argsort(found.found.rows[found.chains.entry], kind="stable"))
    return replace(found, chains=best_of(by_entry, np.zeros(by_entry.size, np.intp)))


def _told(found: Counted, theirs: Mask) -> FunnelWalkAnswer:
    plan, frame = found.plan, found.found.frame
    bits = selected_bits(frame, plan)
    rows = np.flatnonzero(theirs & (bits != 0))
    require_flags(bits, frame, plan)
    served = _served(found)
    first = 0
    if len(rows) > MOST_EVENTS and served:
        first = max(0, int(np.searchsorted(rows, min(served))) - _BEFORE)
    shown = rows[first : first + MOST_EVENTS]
    notes = _notes(found, shown)
    names = frame.column(EVENT_NAME)
    return FunnelWalkAnswer(
        tuple(
            WalkEvent(
                _EPOCH + timedelta(microseconds=int(frame.time[row])),
                names.values[names.codes[row]],
                tuple(step for step in range(len(plan.query.steps)) if bits[row] >> step & 1),
                served.get(row),
                notes.get(row, ""),
            )
            for row in shown.tolist()
        ),
        reached=plan.backbone[int(found.chains.depth[0]) - 1] + 1 if found.size else 0,
        verdict=verdict(found, 0) if found.size else never_entered(plan),
        truncated=len(shown) < len(rows),
    )


def _served(found: Counted) -> dict[int, int]:
    """The step that each row served."""
    if not found.size:
        return {}
    places = found.chains.served[:, 0].tolist()
    return {int(found.found.rows[place]): step for step, place in enumerate(places) if place != NOWHERE}


def _notes(found: Counted, rows: Rows) -> dict[int, str]:
    """Why rows were not taken, where there is more to say than that others were; the most weighty reason first."""
    plan, frame = found.plan, found.found.frame
    few = frame.take(rows)
    reasons: list[tuple[Mask, str]] = []
    if not plan.query.include_bots:
        reasons.append((meets(few, (BOTS,), plan.query.source), "left out: a known bot"))
    reasons.append((~relevant(few, plan.query), "left out by a condition of the funnel"))
    reasons.append((few.actors(plan.query.actor).codes < 0, f"left out: has no {plan.query.actor}"))
    reasons.extend((few.column(field).codes < 0, f"left out: has no {field}") for field in plan.constant)
    if found.size:
        ends = {Ended.EXCLUDED: "ended the chain: excluded here", Ended.NOT_STRICT: "ended the chain: strict order"}
        if found.chains.ended[0] != Ended.NO:
            row = found.found.rows[found.chains.ended_at[0]]
            reasons.append((rows == row, ends[Ended(int(found.chains.ended[0]))]))
        reasons.append((few.time > found.entered_at[0] + plan.window, "after the window"))
    notes: dict[int, str] = {}
    for mask, reason in reasons:
        for row in rows[mask].tolist():
            notes.setdefault(row, reason)
    return notes
