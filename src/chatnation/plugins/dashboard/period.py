"""The stretch of time that a report is about: chosen in the address, cut at the tenant's midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from chatnation import Problem
from chatnation.query import Range

Preset = Literal["today", "7d", "30d", "90d"]

PRESETS: dict[Preset, tuple[str, int]] = {
    "today": ("Today", 1),
    "7d": ("7 days", 7),
    "30d": ("30 days", 30),
    "90d": ("90 days", 90),
}
"""Label and length in days, today included."""
DEFAULT: Preset = "30d"
LONGEST_DAYS = 1_100
"""Three years: long enough to compare years, short enough to draw a bar a day."""
_EARLIEST, _LATEST = date(2000, 1, 1), date(2100, 1, 1)


class PeriodQuery(BaseModel):
    """Which time a report is about. Without any of these, the last 30 days."""

    period: Preset | None = Field(None, description="Days up to today, today included, in the tenant's time zone.")
    start_date: date | datetime | None = Field(
        None, description="First day, or the instant of the beginning; without an offset in the tenant's time zone."
    )
    end_date: date | datetime | None = Field(
        None, description="Last day, that whole day included; or the instant before which it ends."
    )

    def resolve(self, timezone: str, now: datetime) -> Period:
        """The period in the tenant's `timezone`, as seen at `now`; raises a 422 for one that makes no sense."""
        zone = ZoneInfo(timezone)
        today = now.astimezone(zone).date()
        if self.start_date is None and self.end_date is None:
            preset = self.period or DEFAULT
            first = today - timedelta(days=PRESETS[preset][1] - 1)
            return Period(_midnight(first, zone), _midnight(_next(today), zone), zone, preset)
        end = self.end_date if self.end_date is not None else today
        start = self.start_date if self.start_date is not None else _day(end) - timedelta(days=PRESETS[DEFAULT][1] - 1)
        for bound in (start, end):
            if not _EARLIEST <= _day(bound) <= _LATEST:
                raise _invalid("The dates must lie between 2000 and 2100.")
        period = Period(_instant(start, zone), _instant(end, zone, inclusive=True), zone)
        if period.start >= period.end:
            raise _invalid("The period ends before it begins.")
        if len(period.days) > LONGEST_DAYS:
            raise _invalid(f"A period is at most {LONGEST_DAYS} days long.")
        return period


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` up to but without `end`, both aware and in the tenant's `zone`."""

    start: datetime
    end: datetime
    zone: ZoneInfo
    preset: Preset | None = None

    @property
    def first_day(self) -> date:
        return self.start.date()

    @property
    def last_day(self) -> date:
        return (self.end - timedelta(microseconds=1)).date()

    @property
    def days(self) -> list[date]:
        """Every local day that the period touches."""
        return [self.first_day + timedelta(days=day) for day in range((self.last_day - self.first_day).days + 1)]

    @property
    def timezone(self) -> str:
        return self.zone.key

    @property
    def whole_days(self) -> bool:
        """Whether it begins and ends at midnight."""
        return self.start.time() == time() and self.end.time() == time()

    def previous(self) -> Period:
        """The equally long period just before. Of whole days it has as many, also where the clocks change."""
        if self.whole_days:
            days = (self.end.date() - self.start.date()).days
            return Period(_midnight(self.first_day - timedelta(days=days), self.zone), self.start, self.zone)
        elapsed = self.end.timestamp() - self.start.timestamp()
        start = datetime.fromtimestamp(self.start.timestamp() - elapsed, self.zone)
        return Period(start, self.start, self.zone)

    def parameters(self) -> dict[str, str]:
        """The query parameters that choose this period again."""
        if self.preset:
            return {"period": self.preset}
        if self.whole_days:
            return {"start_date": self.first_day.isoformat(), "end_date": self.last_day.isoformat()}
        return {"start_date": self.start.isoformat(), "end_date": self.end.isoformat()}

    def link(self, path: str, **parameters: str | int | None) -> str:
        """`path` with this period, and those of `parameters` that are not None, in its query."""
        given = {name: str(value) for name, value in parameters.items() if value is not None}
        return f"{path}?{urlencode({**self.parameters(), **given})}"

    @property
    def label(self) -> str:
        """Its days in short, for example 3 Nov 2025, or the first and the last of them."""
        first, last = self.first_day, self.last_day
        if first == last:
            return f"{last:%-d %b %Y}"
        if (first.year, first.month) == (last.year, last.month):
            return f"{first.day}–{last:%-d %b %Y}"  # noqa: RUF001 - a range takes an en dash
        same_year = first.year == last.year
        return f"{first:%-d %b}{'' if same_year else f' {first.year}'} – {last:%-d %b %Y}"  # noqa: RUF001


class PeriodAnswer(BaseModel):
    """The period that was counted: from `start` up to, not including, `end`."""

    start: datetime
    end: datetime
    timezone: str = Field(description="Days, weeks and hours are in this time zone.")

    @classmethod
    def of(cls, period: Period | Range) -> PeriodAnswer:
        """A period, or the time of a question, as an API tells it."""
        return cls(start=period.start, end=period.end, timezone=period.timezone)


def _instant(bound: date | datetime, zone: ZoneInfo, *, inclusive: bool = False) -> datetime:
    if isinstance(bound, datetime):
        return bound.astimezone(zone) if bound.tzinfo else bound.replace(tzinfo=zone)
    return _midnight(_next(bound) if inclusive else bound, zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _next(day: date) -> date:
    return day + timedelta(days=1)


def _day(bound: date | datetime) -> date:
    return bound.date() if isinstance(bound, datetime) else bound


def _invalid(detail: str) -> Problem:
    return Problem(422, "invalid_period", detail)
