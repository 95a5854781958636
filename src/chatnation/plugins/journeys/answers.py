"""Answers of the API of journeys. Rates and shares are in percent, durations in seconds."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from chatnation.plugins.dashboard.api import PeriodAnswer
from chatnation.query import Granularity


class Answered(BaseModel):
    """What every answer tells."""

    period: PeriodAnswer


class Figures(BaseModel):
    """Journeys that began in a period, by what became of them."""

    total_journeys: int = Field(description="Completed, abandoned and assisted.")
    self_serve_journeys: int = Field(description="Completed and abandoned: without an agent.")
    assisted_journeys: int = Field(description="With a hand-off to an agent of the same person, on whatever channel.")
    completed_journeys: int = Field(description="With an end, and without an agent.")
    abandoned_journeys: int = Field(description="Over, with neither end nor agent.")
    in_progress: int = Field(description="Neither, and the person was active within the grace. In no rate.")
    bot_chat_only: int = Field(description="WhatsApp visits with neither a journey start nor a hand-off.")
    self_serve_rate: float = Field(description="Of the total, in percent; 0 without journeys.")
    assisted_rate: float
    completion_rate: float
    abandonment_rate: float
    handoffs_without_journey: int = Field(description="Hand-offs that lie in no journey of their person.")


class Changes(BaseModel):
    """Change against the period before, in percent; 0 where there was nothing before."""

    total_journeys: float
    self_serve_rate: float
    assisted_rate: float
    completion_rate: float
    abandonment_rate: float
    bot_chat_only: float


class Overview(Figures, Answered):
    """Self-serve against assisted."""

    handoffs: int = Field(description="Hand-offs of the period: those in journeys, and those without one.")
    handoffs_in_journeys: int
    previous: Figures = Field(description="The equally long period just before.")
    change: Changes


class TrendPoint(BaseModel):
    """Journeys that began in a bucket."""

    period: datetime = Field(description="When the bucket begins.")
    total_journeys: int
    assisted: int
    self_serve: int
    completed: int
    abandoned: int
    in_progress: int
    handoff_rate: float
    self_serve_rate: float


class TrendSummary(BaseModel):
    """The whole period."""

    total_journeys: int
    total_assisted: int
    avg_handoff_rate: float = Field(description="Assisted journeys per journey of the period.")
    percent_change: float = Field(description="Change of the rate from the first half of the trend to the second.")


class HandoffTrend(Answered):
    """The hand-off rate over time."""

    granularity: Granularity
    data: list[TrendPoint]
    summary: TrendSummary


class StepCount(BaseModel):
    """Hand-offs from a step."""

    step: str
    label: str
    handoffs: int
    percentage: float


class StepSummary(BaseModel):
    """All steps, also those beyond the list."""

    total_handoffs: int
    unique_steps: int


class HandoffByStep(Answered):
    """Hand-offs by step, the twenty most frequent."""

    data: list[StepCount]
    summary: StepSummary


class ReasonCount(BaseModel):
    """Hand-offs with a reason."""

    reason: str
    label: str
    count: int
    percentage: float


class ReasonSummary(BaseModel):
    """All reasons."""

    total_handoffs: int


class HandoffReasons(Answered):
    """Hand-offs by reason."""

    data: list[ReasonCount]
    summary: ReasonSummary


class TimeToHandoff(Answered):
    """Seconds from the start of a journey to its first hand-off, of the assisted ones; null without any."""

    avg_seconds: float | None
    median_seconds: float | None
    p95_seconds: float | None
    handoff_count: int
    avg_formatted: str = Field(description="Such as `1h 4m`.")
    median_formatted: str
    p95_formatted: str


class JourneyRow(BaseModel):
    """Journeys of one name. Started = completed_self_serve + assisted + dropped_off + in_progress."""

    step: str
    label: str
    started: int
    completed: int = Field(description="Came to an end, with or without an agent.")
    completed_self_serve: int
    dropped_off: int
    assisted: int
    in_progress: int


class ByJourneySummary(BaseModel):
    """All journeys."""

    total_assisted: int
    total_completed: int
    journey_count: int


class ByJourney(Answered):
    """Journeys by name."""

    data: list[JourneyRow]
    summary: ByJourneySummary


class AgentRow(BaseModel):
    """What one agent took over; null: events that name none."""

    agent_id: str | None
    agent_name: str | None
    total_handoffs: int
    unique_persons: int


class AgentSummary(BaseModel):
    """All agents."""

    total_handoffs: int
    total_agents: int
    avg_handoffs_per_agent: float


class AgentPerformance(Answered):
    """Hand-offs by agent."""

    data: list[AgentRow]
    summary: AgentSummary


class JourneyLabels(BaseModel):
    """What journeys and steps are called, by name."""

    labels: dict[str, str]
