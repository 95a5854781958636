"""Which sessions a page or the API is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from pydantic import Field

from chatnation.plugins.dashboard.api import UNKNOWN, AnalyticsQuery, Period
from chatnation.plugins.explorer.field_filters import condition_on
from chatnation.query import Condition, Filter

if TYPE_CHECKING:
    from chatnation.plugins.sessions.api import SessionFilter

PAGE_SIZE = 50
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=2_000)]], Field(max_length=50)]
COLUMNS = {
    "device": "device_type",
    "country": "country_code",
    "channel": "channel_type",
    "browser": "browser_name",
    "os": "os_name",
    "city": "city",
    "user": "user_id",
    "entry_page": "entry_page",
    "exit_page": "exit_page",
    "referrer": "referrer",
    "utm_source": "utm_source",
    "utm_medium": "utm_medium",
    "utm_campaign": "utm_campaign",
    "utm_term": "utm_term",
    "utm_content": "utm_content",
    "conversion_event": "conversion_event",
}
"""Parameters, and the columns of sessions that they narrow by."""
OWN = (
    *(name for name in COLUMNS if name not in ("device", "country", "channel")),
    "page", "converted", "identified", "started_journey", "weekday", "hour", "person", "bots",
)  # fmt: skip
"""Those that not every page of analytics knows."""


class SessionQuery(AnalyticsQuery):
    """Which sessions; filters that are not given do not narrow. Several values of one are alternatives."""

    browser: Texts = Field([], description="Browsers; `unknown` for none.")
    os: Texts = Field([], description="Operating systems.")
    city: Texts = Field([], description="Cities.")
    user: Texts = Field([], description="User ids or phone numbers.")
    entry_page: Texts = Field([], description="Paths of the first page.")
    exit_page: Texts = Field([], description="Paths of the last page.")
    referrer: Texts = Field([], description="Addresses that visitors came from.")
    utm_source: Texts = Field([], description="UTM sources.")
    utm_medium: Texts = Field([], description="UTM media.")
    utm_campaign: Texts = Field([], description="UTM campaigns.")
    utm_term: Texts = Field([], description="UTM terms.")
    utm_content: Texts = Field([], description="UTM contents.")
    conversion_event: Texts = Field([], description="Names of the first conversion event.")
    page: str | None = Field(None, max_length=2_000, description="A page path that was looked at.")
    converted: bool | None = Field(None, description="Whether a conversion event happened.")
    identified: bool | None = Field(None, description="Whether a user id or phone number was seen.")
    started_journey: bool | None = Field(None, description="Whether a journey began, or an agent took over.")
    weekday: int | None = Field(None, ge=0, le=6, description="Weekday of the beginning, 0 is Sunday.")
    hour: int | None = Field(None, ge=0, le=23, description="Local hour of the beginning.")
    person: UUID | None = Field(None, description="Only of this person.")
    bots: bool = Field(False, description="Known bots too.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(PAGE_SIZE, ge=1, le=200, description="Sessions in a page.")

    def wanted(self, period: Period, leaf_ids: Sequence[UUID] | None) -> SessionFilter:
        """The filter, for the sessions plugin; `leaf_ids` are those of `person`."""
        from chatnation.plugins.sessions.api import SessionFilter

        values = {column: getattr(self, name) for name, column in COLUMNS.items() if getattr(self, name)}
        return SessionFilter(
            start=period.start,
            end=period.end,
            zone=period.timezone,
            values={column: [*listed, *([None] if UNKNOWN in listed else [])] for column, listed in values.items()},
            converted=self.converted,
            identified=self.identified,
            journey=self.started_journey,
            weekday=self.weekday,
            hour=self.hour,
            page=self.page,
            leaf_ids=leaf_ids,
            include_bots=self.bots,
        )

    def all_conditions(self) -> tuple[Condition, ...] | None:
        """All filters as conditions of a question about sessions; None where one of them cannot be asked."""
        if self.page is not None or self.person is not None:
            return None
        found = [condition_on(column, getattr(self, name)) for name, column in COLUMNS.items() if getattr(self, name)]
        flags = {"converted": self.converted, "journey": self.started_journey}
        found += [Filter(field, "is", (flag,)) for field, flag in flags.items() if flag is not None]
        if self.identified is not None:
            found.append(Filter("user_id", "is_set" if self.identified else "is_not_set"))
        times = {"time.weekday": self.weekday, "time.hour": self.hour}
        found += [Filter(field, "is", (str(value),)) for field, value in times.items() if value is not None]
        return tuple(found)

    def parameters(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super().parameters() if name != "after"]

    def own_filters(self) -> dict[str, list[object]]:
        """Values by filter, of those that not every page knows."""
        found: dict[str, list[object]] = {}
        for name in OWN:
            value = getattr(self, name)
            if isinstance(value, list):
                found[name] = list(value)
            elif value is not None and not (name == "bots" and not value):
                found[name] = [value]
        return {name: values for name, values in found.items() if values}
