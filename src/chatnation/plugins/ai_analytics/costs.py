"""What models used, and what that cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatnation.plugins.ai_analytics.settings import AiAnalyticsTenantSettings
from chatnation.query import BreakdownAnswer

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


def total_cost(used: Sequence[Use]) -> float | None:
    """The cost of the models that have a price; None where none has."""
    costs = [use.cost for use in used if use.cost is not None]
    return sum(costs) if costs else None
