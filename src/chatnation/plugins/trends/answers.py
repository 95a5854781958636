"""Answers of the API of trends. Shares named `rate` are fractions of 0 to 1; those named `percent` are of 100."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import BaseModel, Field

from chatnation.plugins.dashboard.api import PeriodAnswer


class Trend(BaseModel):
    """What every trend tells of itself."""

    granularity: Literal["day", "week", "month"]
    start_date: dt.date = Field(description="The first day that was counted.")
    end_date: dt.date = Field(description="The last day that was counted.")
    period: PeriodAnswer


class Point(BaseModel):
    """A day, week or month of a trend."""

    period: dt.date = Field(description="Its first day; that of the first one may lie before the range.")
    complete: bool = Field(description="Whether it is over, so that its numbers stay as they are.")


class SessionsPoint(Point):
    """Sessions that began in a period."""

    count: int = Field(description="Sessions with a journey start or a hand-over to an agent.")
    sessions: int = Field(description="All sessions.")


class SessionsSummary(BaseModel):
    """Sessions of the whole range, against the equally long one before."""

    total: int = Field(description="Sessions with a journey start or a hand-over to an agent.")
    previous_total: int
    percent_change: float = Field(description="0 where there was nothing before.")
    total_sessions: int = Field(description="All sessions.")
    previous_total_sessions: int
    sessions_percent_change: float


class SessionsTrend(Trend):
    """How many sessions began."""

    data: list[SessionsPoint]
    summary: SessionsSummary


class ConversionsPoint(Point):
    """Sessions that began in a period, and how many of them converted."""

    total_sessions: int
    conversions: int
    conversion_rate: float = Field(description="Fraction, 0 to 1; 0 without sessions.")


class ConversionsSummary(BaseModel):
    """Conversions of the whole range."""

    total_sessions: int
    total_conversions: int
    overall_conversion_rate: float = Field(description="In percent.")
    previous_conversion_rate: float = Field(description="Of the equally long range before, in percent.")


class ConversionsTrend(Trend):
    """How many sessions had a conversion event."""

    data: list[ConversionsPoint]
    summary: ConversionsSummary


class GrowthPoint(Point):
    """Different persons who began a session in a period."""

    total_users: int
    new_users: int = Field(description="Those whose first session ever it was.")
    returning_users: int


class GrowthSummary(BaseModel):
    """Different persons of the whole range: whoever came in several periods counts once."""

    total_new_users: int
    total_returning_users: int
    total_users: int
    new_user_percent: float
    previous_total_users: int
    percent_change: float


class GrowthTrend(Trend):
    """How many persons were new, and how many came back."""

    data: list[GrowthPoint]
    summary: GrowthSummary


class DurationPoint(Point):
    """Sessions that began in a period and have a length; None where there were none."""

    avg_duration_seconds: float | None
    median_duration_seconds: float | None
    session_count: int


class DurationSummary(BaseModel):
    """Lengths over the whole range: of all its sessions, not a mean of means."""

    overall_avg_duration_seconds: float | None
    overall_median_duration_seconds: float | None
    total_sessions_analyzed: int
    previous_avg_duration_seconds: float | None


class DurationTrend(Trend):
    """How long sessions were, without those of a single moment."""

    data: list[DurationPoint]
    summary: DurationSummary


class ActivePoint(BaseModel):
    """Different persons with an event on a day."""

    date: dt.date
    count: int
    complete: bool = Field(description="Whether the day is over.")


class ActiveSummary(BaseModel):
    """Active persons a day."""

    avg_daily_active_users: float = Field(description="Mean over all days of the range, those without any included.")
    previous_avg_daily_active_users: float
    percent_change: float
    peak_dau: int
    peak_date: dt.date | None
    total_data_points: int = Field(description="Days of the range.")
    total_users: int = Field(description="Different persons of the whole range.")


class ActiveTrend(Trend):
    """How many persons were active each day."""

    data: list[ActivePoint]
    summary: ActiveSummary
