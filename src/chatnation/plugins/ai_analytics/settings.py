"""What a tenant says about its models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, field_validator

_LINE = re.compile(r"\s*(?P<model>[^=]+?)\s*=\s*(?P<prompt>\d+(?:\.\d+)?)\s*/\s*(?P<completion>\d+(?:\.\d+)?)\s*")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost: those that a model reads, and those that it writes."""

    prompt: float
    completion: float

    def cost(self, prompt_tokens: float, completion_tokens: float) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.prompt + completion_tokens * self.completion) / _MILLION


class AiAnalyticsTenantSettings(BaseModel):
    """What models cost, and when a conversation counts as handed over. A change counts for the past too."""

    prices: tuple[Annotated[str, Field(max_length=200)], ...] = Field(
        (),
        max_length=100,
        title="Prices",
        description="A line each: model = price of a million prompt tokens / price of a million completion tokens.",
    )
    currency: str = Field("USD", pattern="^[A-Z]{3}$", title="Currency", description="ISO 4217 code of the prices.")
    handover_hours: float = Field(
        24,
        gt=0,
        le=720,
        title="Hand-over within (hours)",
        description="A person who asked the AI agent was handed over if a human took over within this time.",
    )

    @field_validator("prices")
    @classmethod
    def _prices_can_be_read(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            if _LINE.fullmatch(line) is None:
                raise ValueError(f"“{line}” is no price: write model = 0.15 / 0.60")
        return lines

    @property
    def table(self) -> Mapping[str, Price]:
        """The price of each model."""
        found = (_LINE.fullmatch(line) for line in self.prices)
        return {line["model"]: Price(float(line["prompt"]), float(line["completion"])) for line in found if line}
