"""Which events a page or the API is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, PrivateAttr
from starlette.datastructures import QueryParams

from chatnation import Actor
from chatnation.plugins.dashboard.api import Period, parse_condition
from chatnation.plugins.explorer.field_filters import FieldQuery
from chatnation.query import AnyOf, Condition, Events, Filter, Range, Selection

Window = Literal["5", "15", "60"]
WINDOWS: tuple[Window, ...] = ("5", "15", "60")
SEARCHED = ("event_name", "page_path")
SEARCHED_IDS = ("user_id", "external_id")
"""What is searched for those who may see persons besides."""
PERSONS = "persons.view"
PAGE_SIZE = 50


Lines = Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=20)]


class EventQuery(FieldQuery):
    """Which events: of a period or the last minutes, through filters, that contain a text.

    A period wins over a window. A search that is a UUID is one for a session, visitor or person.
    """

    window: Window | None = Field(None, description="Only the last 5, 15 or 60 minutes.")
    q: Annotated[str, Field(max_length=200)] = Field("", description="A text in the name, user, number or path.")
    where: Lines = Field([], description="Conditions, such as `properties.amount > 100`; all of them have to hold.")
    person: UUID | None = Field(None, description="Only of this person.")
    session: UUID | None = Field(None, description="Only of this session.")
    bots: bool = Field(False, description="Known bots too.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    _sees_persons: bool = PrivateAttr(default=True)

    def seen_by(self, actor: Actor) -> None:
        """Say whose query it is: a search looks through ids only for those who may see persons."""
        self._sees_persons = actor.can(PERSONS)

    @classmethod
    def of(cls, parameters: QueryParams) -> Self:
        query = super().of(parameters)
        query.q = query.q.strip()
        if query.period or query.start_date or query.end_date:
            query.window = None
        return query

    def parameters(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super().parameters() if name != "after"]

    def range_of(self, period: Period, now: datetime) -> Range:
        """The time that is asked for: the window, or the period."""
        if self.window is None:
            return Range(period.start, period.end, period.timezone)
        return Range(now - timedelta(minutes=int(self.window)), now, period.timezone)

    def all_conditions(self) -> tuple[Condition, ...]:
        """Filters and search, for a question."""
        fields = SEARCHED + SEARCHED_IDS if self._sees_persons else SEARCHED
        search = (AnyOf(tuple(Filter(field, "contains", (self.q,)) for field in fields)),) if self.q else ()
        return (*self.conditions(), *self.field_conditions(), *map(parse_condition, self.where), *search)

    @property
    def select(self) -> Selection:
        """The events by name, for a question."""
        return Selection(self.event_names)

    def question(self, range_: Range, *, limit: int = PAGE_SIZE, oldest_first: bool = False) -> Events:
        """The question for a page of these events."""
        return Events(
            range=range_,
            filters=self.all_conditions(),
            include_bots=self.bots,
            select=self.select,
            person_id=self.person,
            oldest_first=oldest_first,
            limit=limit,
            after=self.after,
        )
