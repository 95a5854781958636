"""Questions and answers as JSON, which is how the API and saved things have them.

A question is written with the names of its fields and its `kind`; what is left out has its default, and a name that
there is not is refused. Its `range` may be written in three ways, see `ExactRange`, `DateRange` and `PeriodRange`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, RootModel, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, from_json, to_json

from chatnation.core.errors import Problem
from chatnation.core.query.answers import Answer
from chatnation.core.query.checks import FIRST, LAST, LONGEST, zone_named
from chatnation.core.query.model import Query, Range
from chatnation.core.query.store import QueryRefused

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
_ADAPTER: TypeAdapter[Query] = TypeAdapter(Query, config=_STRICT)
_INNER = ("funnel", "retention", "paths", "lifecycle", "stickiness")
"""What a question about who is behind a number calls the question that counts; the range is that one's."""

Zone = Annotated[str | None, Field(max_length=100, description="An IANA time zone; without it, the tenant's.")]


class ExactRange(BaseModel):
    """From one instant up to, not including, another; without an offset, in the time zone of the range."""

    model_config = _STRICT

    start: datetime = Field(description="When it begins.")
    end: datetime = Field(description="When it is over.")
    timezone: Zone = None

    def resolve(self, zone: ZoneInfo, now: datetime) -> Range:
        """The range in `zone`."""
        start, end = (edge if edge.tzinfo else edge.replace(tzinfo=zone) for edge in (self.start, self.end))
        return Range(start, end, zone.key)


class DateRange(BaseModel):
    """Whole days, the last one included."""

    model_config = _STRICT

    start_date: date = Field(description="The first day.")
    end_date: date | None = Field(None, description="The last day; without it, today.")
    timezone: Zone = None

    def resolve(self, zone: ZoneInfo, now: datetime) -> Range:
        """The days as they are in `zone`."""
        return _days(self.start_date, self.end_date or now.astimezone(zone).date(), zone)


class PeriodRange(BaseModel):
    """So many days up to today, which is one of them."""

    model_config = _STRICT

    period: str = Field(pattern=r"^(today|[1-9][0-9]{0,3}d)$", description="Such as `30d`; `today` is `1d`.")
    timezone: Zone = None

    def resolve(self, zone: ZoneInfo, now: datetime) -> Range:
        """The days as they are in `zone`."""
        today = now.astimezone(zone).date()
        days = 1 if self.period == "today" else int(self.period[:-1])
        if days > LONGEST.days:
            raise QueryRefused(f"Ask for at most {LONGEST.days} days at once.")
        return _days(today - timedelta(days=days - 1), today, zone)


class Asked(RootModel[dict[str, Any]]):
    """A question as JSON, not yet looked at: `read` makes a question of it. Its schema is that of all questions."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        written = handler(_ADAPTER.core_schema)
        any_question = handler.resolve_ref_schema(written["oneOf"][0])
        stretch = handler.resolve_ref_schema(any_question["properties"]["range"])
        stretch.clear()
        forms = [form.model_json_schema() for form in (PeriodRange, DateRange, ExactRange)]
        stretch |= {"title": "Range", "description": "The time that a question is about.", "anyOf": forms}
        return written


class AnyAnswer(RootModel[Answer]):
    """The answer to a question, of the kind that its question has."""


def read(given: object, timezone: str, now: datetime) -> Query:
    """The question that JSON data is, with days of `timezone` unless it names another; raises QueryRefused."""
    if not isinstance(given, Mapping):
        raise QueryRefused("A question is a JSON object.")
    question: dict[str, Any] = dict(given)
    about = question
    for name in _INNER:
        if isinstance(question.get(name), Mapping):
            about = question[name] = dict(question[name])
    if "range" in about:
        about["range"] = _range(about["range"], timezone, now)
    try:
        return _ADAPTER.validate_python(question)
    except ValidationError as error:
        raise _refusal(error) from None


def read_text(given: str | bytes, timezone: str, now: datetime) -> Query:
    """As `read`, from text; raises Problem 400 where that is no JSON."""
    try:
        data = from_json(given, allow_inf_nan=False)
    except ValueError:
        raise Problem(400, "invalid_json", "The question is not JSON.") from None
    return read(data, timezone, now)


def write(found: Answer | Query) -> bytes:
    """An answer, or a question, as JSON. What is no number to JSON is null."""
    return to_json(found, inf_nan_mode="null")


def _range(given: object, timezone: str, now: datetime) -> Range:
    names: set[object] = set(given) if isinstance(given, Mapping) else set()
    form: type[ExactRange | DateRange | PeriodRange] = ExactRange
    if "period" in names:
        form = PeriodRange
    elif names & {"start_date", "end_date"}:
        form = DateRange
    try:
        written = form.model_validate(given)
    except ValidationError as error:
        raise _refusal(error, "range") from None
    return written.resolve(zone_named(written.timezone or timezone), now)


def _days(first: date, last: date, zone: ZoneInfo) -> Range:
    if not FIRST.date() <= first <= LAST.date() or not FIRST.date() <= last <= LAST.date():
        raise QueryRefused(f"Ask for time between {FIRST.year} and {LAST.year}.")
    end = last + timedelta(days=1)
    return Range(datetime.combine(first, time(), zone), datetime.combine(end, time(), zone), zone.key)


def _refusal(error: ValidationError, *where: str) -> QueryRefused:
    """A refusal that names each field that is wrong, and does not repeat what was sent."""
    faults: list[dict[str, object]] = [
        {"in": "question", "path": ".".join(map(str, (*where, *fault["loc"]))), "message": fault["msg"]}
        for fault in error.errors(include_input=False, include_url=False)
    ]
    first = faults[0]
    place = f" at {first['path']}" if first["path"] else ""
    refusal = QueryRefused(f"The question is not right{place}: {first['message']}.")
    refusal.errors = faults
    return refusal
