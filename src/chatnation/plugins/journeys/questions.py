"""What is asked about journeys. All that can be told from one answer is asked as one question."""

from __future__ import annotations

from collections.abc import Sequence

from chatnation.plugins.journeys.rules import Rules
from chatnation.query import (
    Breakdown,
    Condition,
    Filter,
    Granularity,
    Measure,
    Outcome,
    Outcomes,
    Range,
    Selection,
    Series,
    Tell,
    Timeseries,
)

HANDOFF = "agent.handoff"
HANDOFFS = Selection((HANDOFF,))
START = Selection(filters=(Filter("journey_start", "is", (True,)),))
END = Selection(filters=(Filter("journey_end", "is", (True,)),))

ASSISTED, HANDED_OVER, COMPLETED = "assisted", "handed_over", "completed"
ABANDONED, IN_PROGRESS = "none", "open"
"""What the query model calls them."""

STEP_FIELD = "first_of:properties.journeyStep|properties.handoffReason"
REASON_FIELD, AGENT_FIELD, AGENT_NAME_FIELD = "properties.handoffReason", "properties.agentId", "properties.agentName"
MOST_VALUES = 1_000

Conditions = Sequence[Condition]


def journeys(rules: Rules, stretch: Range, where: Conditions = (), granularity: Granularity = "day") -> Outcomes:
    """Journeys that began in a stretch of time and meet the conditions, and what became of them, on whatever channel.

    No journey has the outcome `handed_over`: whatever is one is listed under `assisted` already. It is there for the
    hand-offs outside of all journeys.
    """
    return Outcomes(
        range=stretch,
        start=START,
        outcomes=(
            Outcome(ASSISTED, Selection((HANDOFF, *(name for name in rules.taken_events if name != HANDOFF)))),
            Outcome(HANDED_OVER, HANDOFFS),
            Outcome(COMPLETED, END),
        ),
        window=rules.window,
        grace=rules.grace,
        where=tuple(where),
        outside=True,
        granularity=granularity,
        by=rules.name_field,
        limit=MOST_VALUES,
        compare=True,
    )


def journeys_told(rules: Rules, stretch: Range, where: Conditions, tell: Tell) -> Outcomes:
    """Some journeys one by one."""
    asked = journeys(rules, stretch, where)
    return Outcomes(
        range=stretch,
        start=asked.start,
        outcomes=asked.outcomes,
        window=asked.window,
        grace=asked.grace,
        where=asked.where,
        by=asked.by,
        tell=tell,
    )


def completions(rules: Rules, stretch: Range, where: Conditions = ()) -> Outcomes:
    """Journeys that came to their end, by name, whether or not an agent helped."""
    return Outcomes(
        range=stretch,
        start=START,
        outcomes=(Outcome(COMPLETED, END),),
        window=rules.window,
        where=tuple(where),
        by=rules.name_field,
        limit=MOST_VALUES,
    )


def bot_chats(stretch: Range, where: Conditions = (), granularity: Granularity = "day") -> Timeseries:
    """WhatsApp visits without a journey and without an agent; `where` are conditions on sessions."""
    only = Filter("channel_type", "is", ("whatsapp",)), Filter("journey", "is", (False,))
    return Timeseries(
        range=stretch,
        source="sessions",
        filters=(*where, *only),
        series=(Series("bot_chats"),),
        granularity=granularity,
        compare=True,
    )


def handoffs(stretch: Range, where: Conditions, field: str, limit: int = MOST_VALUES) -> Breakdown:
    """Hand-offs by the values of a field, with the persons behind them."""
    return _handoffs(stretch, where, (field,), limit)


def agent_names(stretch: Range, where: Conditions) -> Breakdown:
    """Hand-offs by agent and by what the agent is called."""
    return _handoffs(stretch, where, (AGENT_FIELD, AGENT_NAME_FIELD), 2 * MOST_VALUES)


def _handoffs(stretch: Range, where: Conditions, by: tuple[str, ...], limit: int) -> Breakdown:
    return Breakdown(
        range=stretch,
        filters=tuple(where),
        series=(Series("handoffs", HANDOFFS), Series("persons", HANDOFFS, Measure("persons"))),
        by=by,
        limit=limit,
    )
