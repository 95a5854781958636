"""Why a chain came as far as it did, in one sentence."""

from __future__ import annotations

from chatnation.core.query.evaluate.conditions import EVENT_NAME
from chatnation.core.query.evaluate.funnel.chains import Ended
from chatnation.core.query.evaluate.funnel.counted import Counted
from chatnation.core.query.evaluate.funnel.plan import SECOND, Plan
from chatnation.core.query.instants import micros

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def spoken(seconds: float) -> str:
    """90 → 1 minute 30 seconds; 604 800 → 7 days. The two greatest units; what is below a second as it is."""
    if seconds < 1:
        return f"{seconds:.3g} seconds"
    rest, parts = round(seconds), []
    for name, length in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count:,} {name}" if count == 1 else f"{count:,} {name}s")
    return " ".join(parts[:2])


def never_entered(plan: Plan) -> str:
    """Of somebody without an entry."""
    if plan.any_order and not plan.query.anchor_first:
        return "Never entered: no event in the range is one of the steps with which a chain may begin."
    return f"Never entered: no event in the range is step 1, {_quoted(plan, 0)}."


def verdict(counted: Counted, chain: int) -> str:
    """Of a chain."""
    plan, depth = counted.plan, int(counted.chains.depth[chain])
    if counted.converted[chain]:
        return _converted(counted, chain)
    total = len(plan.query.steps)
    here = plan.backbone[depth - 1]
    so_far = f"Did {depth} of {total} steps" if plan.any_order else f"Reached step {here + 1} of {total}"
    return f"{so_far}: {_why(counted, chain, 'another step' if plan.any_order else _next(plan, depth))}."


def _converted(counted: Counted, chain: int) -> str:
    plan = counted.plan
    took = spoken(int(counted.last_at[chain] - counted.entered_at[chain]) / SECOND)
    if len(plan.backbone) == 1:
        return f"Reached the only step that counts, {_quoted(plan, 0)}."
    if plan.any_order:
        return f"Did all {len(plan.backbone)} steps in {took}."
    return f"Reached the last step, {_quoted(plan, plan.backbone[-1])}, {took} after step 1."


def _why(counted: Counted, chain: int, following: str) -> str:
    plan, depth = counted.plan, int(counted.chains.depth[chain])
    window = plan.query.window
    if counted.chains.ended[chain] != Ended.NO:
        event = _event(counted, int(counted.chains.ended_at[chain]))
        excluded = counted.chains.ended[chain] == Ended.EXCLUDED
        reason = "excluded there" if excluded else "another of the funnel's events"
        return f"{event}, {reason}, came before {following.removesuffix(',')}"
    if counted.open[chain]:
        left = (int(counted.deadline[chain]) - micros(counted.now)) / SECOND
        return f"{following} may still come, for another {spoken(left)}"
    limit = None if plan.any_order else plan.query.steps[plan.backbone[depth]].within
    if limit is not None and counted.deadline[chain] < counted.entered_at[chain] + plan.window:
        return f"the {spoken(limit)} in which it has to follow ended before {following} came"
    return f"the window of {spoken(window)} ended before {following} came"


def _next(plan: Plan, depth: int) -> str:
    step = plan.backbone[depth]
    return f"step {step + 1}, {_quoted(plan, step)},"


def _quoted(plan: Plan, step: int) -> str:
    return f"“{plan.query.steps[step].name}”"


def _event(counted: Counted, place: int) -> str:
    if not counted.plan.reads_names:
        return "an event"
    column = counted.found.frame.column(EVENT_NAME)
    return f"“{column.values[column.codes[counted.found.rows[place]]]}”"
