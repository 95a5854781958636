"""Answers of the API about the AI agent. Shares are 0 to 1, times milliseconds or seconds as their names say."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chatnation.plugins.dashboard.api import PeriodAnswer
from chatnation.query import Granularity


class Stats(BaseModel):
    """Key figures of a period, and their change against the equally long one before in percent."""

    period: PeriodAnswer
    total_classifications: int
    error_count: int
    error_rate: float | None = Field(description="Errors of all attempts: of classifications and errors together.")
    avg_latency_ms: float | None
    p50_latency_ms: float | None
    p95_latency_ms: float | None
    avg_confidence: float | None
    classifications_change: float
    ignored_latencies: int = Field(description="Values of latency_ms that are no numbers.")
    ignored_confidences: int = Field(description="Values of confidence that are no numbers.")


class Intent(BaseModel):
    """An intent that was found."""

    intent: str
    count: int
    persons: int
    avg_confidence: float | None


class Intents(BaseModel):
    """The most frequent intents."""

    period: PeriodAnswer
    data: list[Intent]
    other: int = Field(description="Classifications with any other intent.")


class LatencyBucket(BaseModel):
    """A range of times."""

    bucket: str = Field(description="Milliseconds; the lower bound is included.")
    count: int


class Latency(BaseModel):
    """Classifications by the time that they took."""

    period: PeriodAnswer
    data: list[LatencyBucket]
    ignored: int


class ErrorCount(BaseModel):
    """A type of error."""

    error_type: str
    count: int
    recovered_count: int


class Errors(BaseModel):
    """Errors by type."""

    period: PeriodAnswer
    data: list[ErrorCount]


class Containment(BaseModel):
    """Persons who met the AI agent, and those whom a human took over."""

    period: PeriodAnswer
    total_ai_sessions: int = Field(description="Visits in which something was classified.")
    total_ai_persons: int
    handed_off_persons: int
    contained_persons: int
    containment_rate: float | None
    open_persons: int = Field(description="Contained so far: their time for a hand-over is not over.")
    within_hours: float


class ClassificationPoint(BaseModel):
    """A bucket of time."""

    period: str
    classifications: int
    errors: int
    error_rate: float | None


class ClassificationTrend(BaseModel):
    """Classifications and errors over time."""

    period: PeriodAnswer
    granularity: Granularity
    data: list[ClassificationPoint]
    total_classifications: int
    total_errors: int
    avg_error_rate: float | None
    percent_change: float = Field(description="Of the classifications, against the period before.")


class SpreadPoint(BaseModel):
    """A bucket of time."""

    period: str
    avg: float | None
    p50: float | None
    p95: float | None
    sample_count: int


class SpreadTrend(BaseModel):
    """Mean and percentiles over time; `avg`, `p50` and `p95` beside `data` are over the whole period."""

    period: PeriodAnswer
    granularity: Granularity
    data: list[SpreadPoint]
    avg: float | None
    p50: float | None
    p95: float | None
    sample_count: int


class ConfidencePoint(BaseModel):
    """A bucket of time."""

    period: str
    avg: float | None
    min: float | None
    max: float | None
    sample_count: int


class ConfidenceTrend(BaseModel):
    """Confidence over time, 0 to 1."""

    period: PeriodAnswer
    granularity: Granularity
    data: list[ConfidencePoint]
    avg_confidence: float | None


class ResolvedPoint(BaseModel):
    """A bucket of time."""

    period: str
    resolved_count: int
    active_agents: int


class ResolvedTrend(BaseModel):
    """Chats that human agents resolved, over time."""

    period: PeriodAnswer
    granularity: Granularity
    data: list[ResolvedPoint]
    total_resolved: int
    active_agents: int = Field(description="Different agents of the whole period.")
    percent_change: float


class TopAgent(BaseModel):
    """An agent."""

    agent_id: str
    resolved_count: int
    avg_resolution_time: float | None = Field(description="Seconds.")


class TopAgents(BaseModel):
    """Agents by the chats that they resolved."""

    period: PeriodAnswer
    data: list[TopAgent]


class ModelUse(BaseModel):
    """A model."""

    model: str
    events: int
    prompt_tokens: float
    completion_tokens: float
    cost: float | None = Field(description="None where no price is set for the model.")


class Tokens(BaseModel):
    """Tokens and cost by model."""

    period: PeriodAnswer
    currency: str
    data: list[ModelUse]
    total_cost: float | None = Field(description="Of the models with a price; None without any.")
    unpriced_models: list[str]
