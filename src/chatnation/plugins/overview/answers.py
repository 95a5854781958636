"""Answers of the overview's API."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from chatnation.plugins.dashboard.api import PeriodAnswer


class Figures(BaseModel):
    """What is counted once for a period."""

    total_sessions: int = Field(description="Sessions that began in the period, without bots.")
    journey_sessions: int = Field(description="Of these, sessions with a journey start or a hand-over to an agent.")
    total_users: int = Field(description="Different persons who began a session.")
    identified_users: int = Field(description="Of these, persons seen with a user id or phone number.")
    page_views: int = Field(description="Page views within the sessions.")
    conversions: int = Field(description="Sessions with a conversion event.")
    conversion_rate: float = Field(description="Fraction of the sessions that converted, 0 to 1.")
    avg_session_duration: float = Field(description="Mean length of a session in seconds, zeros included.")


class Changes(BaseModel):
    """Change of each figure against the equally long period before, in percent; 0 where there was nothing before."""

    total_sessions: float
    journey_sessions: float
    total_users: float
    identified_users: float
    page_views: float
    conversions: float
    conversion_rate: float
    avg_session_duration: float


class DayAnswer(BaseModel):
    """A local day."""

    date: date
    count: int


class DeviceAnswer(BaseModel):
    """Sessions with one kind of device."""

    device: str
    count: int


class HeatmapCell(BaseModel):
    """Sessions that began on a weekday (0 is Sunday) in an hour."""

    day: int = Field(ge=0, le=6)
    hour: int = Field(ge=0, le=23)
    count: int


class Overview(Figures):
    """The overview of a period."""

    period: PeriodAnswer
    previous: Figures = Field(description="The equally long period just before.")
    change: Changes
    daily_sessions: list[DayAnswer] = Field(description="One entry a day, days without sessions included.")
    device_breakdown: list[DeviceAnswer]
    heatmap: list[HeatmapCell] = Field(description="All 168 hours of the week.")


class PagePath(BaseModel):
    """A page."""

    page_path: str
    count: int = Field(description="Views.")
    unique_sessions: int = Field(description="Sessions that looked at it.")


class PagePaths(BaseModel):
    """The most viewed pages."""

    period: PeriodAnswer
    data: list[PagePath]


class DeviceCount(BaseModel):
    """Sessions with one kind of device."""

    device_type: str
    count: int


class Devices(BaseModel):
    """Sessions by device."""

    period: PeriodAnswer
    data: list[DeviceCount]


class BrowserCount(BaseModel):
    """Sessions with one browser."""

    browser_name: str
    count: int


class Browsers(BaseModel):
    """Sessions by browser, the ten most frequent."""

    period: PeriodAnswer
    data: list[BrowserCount]


class CountryCount(BaseModel):
    """Sessions from one country."""

    country_code: str
    count: int


class Countries(BaseModel):
    """Sessions by country, the ten most frequent."""

    period: PeriodAnswer
    data: list[CountryCount]


class DailyUsers(BaseModel):
    """Different persons with an event of their own, by day."""

    period: PeriodAnswer
    data: list[DayAnswer]


class UserIdentity(BaseModel):
    """How many persons are known by more than their browser."""

    period: PeriodAnswer
    total: int
    identified: int
    anonymous: int
    identified_percent: float
