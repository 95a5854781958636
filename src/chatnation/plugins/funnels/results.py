"""Answers to funnels as the API tells them."""

from __future__ import annotations

from chatnation.plugins.dashboard.api import PeriodAnswer
from chatnation.plugins.funnels.answers import Figures, FunnelResult, StepAnswer
from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.wording import counted_noun
from chatnation.query import FunnelAnswer, FunnelStep, Range, Step


def result(definition: Definition, answer: FunnelAnswer, stretch: Range) -> FunnelResult:
    """The funnel of a stretch of time, and of the one before if it was asked for."""
    before = figures(definition, answer.previous, stretch.previous()) if answer.previous else None
    return FunnelResult(**dict(figures(definition, answer, stretch)), previous=before)


def figures(definition: Definition, answer: FunnelAnswer, stretch: Range) -> Figures:
    """The numbers of one period."""
    return Figures(
        period=PeriodAnswer.of(stretch),
        counted=counted_noun(definition),
        entered=answer.steps[0].reached,
        converted=answer.steps[definition.last].reached,
        open=sum(step.open for step in answer.steps),
        conversion=answer.conversion,
        steps=[step_answer(asked, told) for asked, told in zip(definition.steps, answer.steps, strict=True)],
        histogram=list(answer.histogram),
        groups=list(answer.groups),
        trend=list(answer.trend),
    )


def step_answer(asked: Step, told: FunnelStep) -> StepAnswer:
    """One step."""
    names = asked.select.events
    return StepAnswer(
        name=told.name,
        event_name=names[0] if names else None,
        events=list(names),
        optional=told.optional,
        count=told.reached,
        percent=_percent(told.of_first),
        percent_of_previous=_percent(told.of_previous),
        low=told.low,
        high=told.high,
        dropped=told.dropped,
        open=told.open,
        from_previous=told.from_previous,
        from_first=told.from_first,
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)
