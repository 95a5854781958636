"""What models used, and what that cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatnation.plugins.ai_analytics.settings import AiAnalyticsTenantSettings
from chatnation.query import BreakdownAnswer, BreakdownRow

UNKNOWN_MODEL = "unknown"


@dataclass(frozen=True, slots=True)
class Use:
    """Events and tokens of a model; `cost` is None where no price is set for it."""

    model: str
    events: int
    prompt: float
    completion: float
    cost: float | None


def uses(answer: BreakdownAnswer, settings: AiAnalyticsTenantSettings) -> list[Use]:
    """What each model used, from a breakdown of events, prompt and completion tokens by model."""
    prices = settings.table
    found = []
    for row in answer.rows:
        model = row.values[0] or UNKNOWN_MODEL
        events, prompt, completion = (value or 0 for value in row.measures)
        price = prices.get(model)
        cost = price.cost(prompt, completion) if price is not None else None
        found.append(Use(model, int(events), prompt, completion, cost))
    return found


def previous_cost(answer: BreakdownAnswer, settings: AiAnalyticsTenantSettings) -> float | None:
    """What the priced models cost in the range before, as far as they are still used."""
    costs = [
        price.cost(prompt or 0, completion or 0)
        for row in answer.rows
        if (price := settings.table.get(row.values[0] or UNKNOWN_MODEL)) and (before := _before(row))
        for prompt, completion in [before]
    ]
    return sum(costs) if costs else None


def total_cost(used: Sequence[Use]) -> float | None:
    """The cost of the models that have a price; None where none has."""
    costs = [use.cost for use in used if use.cost is not None]
    return sum(costs) if costs else None


def _before(row: BreakdownRow) -> tuple[float | None, float | None] | None:
    return row.previous[1:3] if row.previous else None  # type: ignore[return-value]
