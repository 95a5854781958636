"""What the trends are asked for: by the API with names of its own, by the pages as any page of analytics."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from chatnation.plugins.dashboard.api import AnalyticsQuery, FilteredPeriodQuery, PeopleQuery, Period, PeriodQuery
from chatnation.plugins.sessions.api import questions
from chatnation.query import Condition, Granularity, LifecycleState, PathStep, Source

PATH = "/trends"
Width = Literal["day", "week", "month"]
Name = Annotated[str, Field(max_length=200)]
Label = Annotated[str, Field(max_length=40)]
Step = Annotated[str, Field(max_length=2_500, pattern=r"^-?\d{1,2}(:|\?$|\*$)")]
"""A step of ways: its column, and then its value behind a colon, a question mark, or an asterisk."""
MOST_PERIODS = 1_100
SHORT = 14
"""Days in which nobody can come back many weeks later."""


class DaysQuery(FilteredPeriodQuery):
    """So many days up to today, or a stretch of days; and the filters that all of analytics knows."""

    periods: int = Field(
        30, ge=1, le=MOST_PERIODS, description="How many, up to the present one, where no time is given otherwise."
    )

    @property
    def width(self) -> Width:
        """How long each period is."""
        return "day"

    def resolve(self, timezone: str, now: datetime) -> Period:
        """The time given, or so many whole periods of which the last is the present one."""
        if self.period or self.start_date or self.end_date:
            return super().resolve(timezone, now)
        today = PeriodQuery(period="today").resolve(timezone, now).first_day
        try:
            first = _first_day(today, self.width, self.periods)
        except (ValueError, OverflowError):
            first = date(1900, 1, 1)  # Refused below, as any date that far away is.
        return PeriodQuery(start_date=first, end_date=today).resolve(timezone, now)


class TrendQuery(DaysQuery):
    """So many days, weeks or months up to now, or a stretch of days that is cut into them."""

    granularity: Width = Field("day", description="How long each period is. Weeks begin on Monday.")

    @property
    def width(self) -> Width:
        return self.granularity


class GrowthQuery(TrendQuery):
    """Whose growth is told."""

    identified: bool = Field(False, description="Only sessions in which a user id or phone number was seen.")

    def conditions(self, source: Source) -> tuple[Condition, ...]:
        found = super().conditions(source)
        return (*found, *questions.IDENTIFIED.filters) if self.identified else found


class ActivityQuery(AnalyticsQuery):
    """What counts as having come: any event, or the one of that name."""

    event: Name = Field("", description="Name of the event; empty for any.")

    def granularity_of(self, period: Period) -> Granularity:
        """As asked, else weeks, or days of a short stretch; people do not come back by the hour."""
        if self.granularity in ("day", "week", "month"):
            return super().granularity_of(period)
        return "week" if len(period.days) > SHORT else "day"


LIST = frozenset({"who", "cohort", "column", "state", "since", "days", "at", "to", "offset"})
"""The parameters that say which list of people is open."""


class RetentionQuery(ActivityQuery, PeopleQuery):
    """Of whom a cohort consists, what they came back for, and whose list is open."""

    back: Name = Field("", description="Name of the event that counts as coming back; empty for any.")
    rule: Literal["on", "on_or_after"] = Field("on", description="Back in that very period, or in it or a later one.")
    first_time: bool = Field(True, description="Only the first time ever, or every period in which they began.")
    who: Literal["began", "back", "lost"] | None = Field(None, description="Of whom the list is; without it, none.")
    cohort: Label | None = Field(None, description="First day of the cohort of the list; without it, of all of them.")
    column: int = Field(0, ge=0, le=60, description="So many periods after it, for the list.")


class LifecycleQuery(ActivityQuery, PeopleQuery):
    """What counts as having come, and whose list is open."""

    state: LifecycleState | None = Field(None, description="Of whom the list is, in the period that `since` names.")
    since: Label | None = Field(None, description="First day of the period of the list.")
    days: int | None = Field(None, ge=1, le=MOST_PERIODS, description="Of those who came on so many days.")


class PathsQuery(PeopleQuery):
    """Which ways are told, and whose list is open."""

    event: Name = Field("", description="Name of the event at which ways begin or end; empty for all ways.")
    page: Name = Field("", description="Path of the page on which it happens; empty for any.")
    towards: bool = Field(False, description="Ways that lead to it, not those from it.")
    node: Literal["event_name", "page_path"] = Field("event_name", description="What the steps are.")
    depth: int = Field(5, ge=2, le=8, description="Steps of a way.")
    at: Step | None = Field(
        None, description="Column and value of a step, such as `0:paid`, `1?` (unknown), `1*` (other)."
    )
    to: Step | None = Field(None, description="The step after that, for the list of those who went on to it.")


class ErrorsQuery(AnalyticsQuery):
    """Which errors are told."""

    code: Name = Field("", description="Only errors with this code.")


def read_step(text: str) -> PathStep:
    """The step that an address names."""
    column, colon, value = text.partition(":")
    if colon:
        return PathStep(int(column), value)
    return PathStep(int(text[:-1]), other=text.endswith("*"))


def write_step(step: PathStep) -> str:
    """The reverse of `read_step`."""
    if step.other or step.value is None:
        return f"{step.column}{'*' if step.other else '?'}"
    return f"{step.column}:{step.value}"


def _first_day(today: date, width: Width, periods: int) -> date:
    match width:
        case "day":
            return today - timedelta(days=periods - 1)
        case "week":
            return today - timedelta(days=today.weekday() + 7 * (periods - 1))
    months = today.year * 12 + today.month - periods
    return date(months // 12, months % 12 + 1, 1)
