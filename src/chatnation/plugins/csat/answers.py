"""Answers of the API about satisfaction. Percentages are 0 to 100; None where there is nothing to divide by."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from chatnation.plugins.dashboard.api import PeriodAnswer


class ScoreCount(BaseModel):
    """Responses with one score."""

    score: int
    count: int
    percentage: float | None


class Summary(BaseModel):
    """Key figures. A response is the first valid rating of a chat."""

    average_score: float | None = Field(description="To one decimal.")
    total_responses: int
    distribution: list[ScoreCount]
    five_star_percent: float | None
    total_sent: int
    response_rate: float | None = Field(description="Of the surveys sent, those answered within 30 days, in percent.")
    percent_change: float = Field(description="Of the average, against the equally long period before.")
    revisions: int = Field(description="Later valid ratings of chats that had been rated.")
    invalid_ratings: int = Field(description="Ratings that are no whole number from 1 to 5.")


class Feedback(BaseModel):
    """A rating with what was written. `rating` is None where it is not valid."""

    timestamp: datetime
    rating: int | None
    feedback: str | None
    journey: str | None
    chat: str | None = Field(description="The chat that it names.")
    person_id: UUID | None


class Dashboard(BaseModel):
    """Satisfaction in a period."""

    period: PeriodAnswer
    summary: Summary
    recent_feedback: list[Feedback] = Field(description="The latest 20 responses.")


class FeedbackList(BaseModel):
    """Ratings, newest first; `next_cursor` leads to the next page."""

    period: PeriodAnswer
    items: list[Feedback]
    next_cursor: str | None


class Journey(BaseModel):
    """Responses of one journey."""

    journey: str
    total_responses: int
    average_score: float | None
    distribution: list[ScoreCount]
    five_star_percent: float | None


class ByJourney(BaseModel):
    """Responses by journey, the most first."""

    period: PeriodAnswer
    data: list[Journey]


class Channel(BaseModel):
    """Responses that came over one channel."""

    channel: str
    total_responses: int
    average_score: float | None
    distribution: list[ScoreCount]
    five_star_percent: float | None


class ByChannel(BaseModel):
    """Responses by channel, the most first."""

    period: PeriodAnswer
    data: list[Channel]


class Agent(BaseModel):
    """Surveys about one agent's chats, and the ratings that came of them."""

    agent_id: str
    name: str | None
    sent: int
    total_responses: int
    open: int = Field(description="Not answered yet, but still may be.")
    response_rate: float | None
    average_score: float | None
    distribution: list[ScoreCount]
    five_star_percent: float | None


class ByAgent(BaseModel):
    """Surveys sent in the period, by agent."""

    period: PeriodAnswer
    data: list[Agent]


class TrendPoint(BaseModel):
    """A bucket: its day, its ISO week (2025-W07), its month (2025-02), or its hour."""

    period: str
    average_score: float | None
    response_count: int
    sent: int
    response_rate: float | None = Field(description="Of the surveys sent in it, those answered, in percent.")


class Trend(BaseModel):
    """Satisfaction over time; every bucket is there."""

    period: PeriodAnswer
    granularity: str
    data: list[TrendPoint]
