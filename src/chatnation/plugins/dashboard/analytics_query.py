"""What an analytics page is asked for in its address: the period, how finely it is cut, the filters of all pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self, get_origin
from urllib.parse import urlencode

from pydantic import Field, ValidationError
from starlette.datastructures import QueryParams

from chatnation import Problem
from chatnation.plugins.dashboard.period import DEFAULT, Period, PeriodQuery
from chatnation.query import AnyOf, Condition, Filter, Granularity, Source

UNKNOWN = "unknown"
"""In a filter: whatever has no value, or is called so."""

FilterName = Literal["device", "country", "channel", "journey"]
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=50)]
Parameters = list[tuple[str, str]]

LONGEST: Mapping[Granularity, int] = {"hour": 14, "day": 400, "week": 1_100, "month": 1_100}
"""Days that a period may have to be cut so finely."""
_USUAL: tuple[tuple[int, Granularity], ...] = ((2, "hour"), (92, "day"), (400, "week"))


@dataclass(frozen=True, slots=True)
class GlobalFilter:
    """A filter that all analytics pages know, and the field that it is about: of events, and of sessions.

    Sessions that have no such field (None) are not narrowed by it.
    """

    name: FilterName
    label: str
    field: str
    sessions: str | None

    def condition(self, values: Sequence[str], source: Source) -> Condition | None:
        """What a row has to meet to have one of the values; None where rows of this source cannot have any."""
        field = self.field if source == "events" else self.sessions
        if field is None:
            return None
        named = Filter(field, "is", tuple(values))
        return AnyOf((named, Filter(field, "is_not_set"))) if UNKNOWN in values else named


_JOURNEY = "first_of:properties.obligation|properties.obligation_type|properties.journey"

FILTERS: Mapping[FilterName, GlobalFilter] = {
    known.name: known
    for known in (
        GlobalFilter("device", "Device", "device_type", "device_type"),
        GlobalFilter("country", "Country", "country_code", "country_code"),
        GlobalFilter("channel", "Channel", "channel_type", "channel_type"),
        GlobalFilter("journey", "Journey", _JOURNEY, None),
    )
}
"""The filters that keep their meaning from page to page."""
SESSION_FILTERS: tuple[FilterName, ...] = ("device", "country", "channel")
"""Those of them that mean something for sessions."""


class FilteredPeriodQuery(PeriodQuery):
    """A period, and the filters that sessions know as well as events; for an API that has no widths of its own."""

    device: Texts = Field([], description="Kinds of device; `unknown` for none.")
    country: Texts = Field([], description="Two-letter country codes; `unknown` for none.")
    channel: Texts = Field([], description="Channels, such as `web` or `whatsapp`.")

    def conditions(self, source: Source) -> tuple[Condition, ...]:
        """The filters as conditions of a question."""
        found = [FILTERS[name].condition(values, source) for name in SESSION_FILTERS if (values := getattr(self, name))]
        return tuple(condition for condition in found if condition is not None)


class AnalyticsQuery(PeriodQuery):
    """The period of an analytics page, how finely it is cut, and the filters that all of them share."""

    granularity: Granularity | None = Field(
        None, description="Width of the buckets of trends; without it, what suits the length of the period."
    )
    compare: bool = Field(False, description="Whether trends show the period before as well.")
    device: Texts = Field([], description="Kinds of device; `unknown` for none.")
    country: Texts = Field([], description="Two-letter country codes; `unknown` for none.")
    channel: Texts = Field([], description="Channels, such as `web` or `whatsapp`.")
    journey: Texts = Field([], description="Journeys (obligations), such as `mri`.")

    @classmethod
    def of(cls, parameters: QueryParams) -> Self:
        """Read from an address, in which empty fields stand for none; raises a 422 that says where it is wrong."""
        given: dict[str, Any] = {}
        for name, field in cls.model_fields.items():
            key = field.alias or name
            values = [value for value in parameters.getlist(key) if value]
            if values:
                given[key] = list(dict.fromkeys(values)) if _is_list(field.annotation) else values[-1]
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"][:1]))
            raise Problem(422, "invalid_request", f"The address is not right at “{place}”.") from None

    def granularity_of(self, period: Period) -> Granularity:
        """How finely trends are cut: as asked, unless the period is too long for that."""
        days = len(period.days)
        usual = next((name for longest, name in _USUAL if days <= longest), "month")
        wanted: Granularity = self.granularity or usual  # type: ignore[assignment]
        return wanted if days <= LONGEST[wanted] else usual  # type: ignore[return-value]

    def chosen(self) -> dict[FilterName, list[str]]:
        """The global filters that are set."""
        return {name: values for name in FILTERS if (values := getattr(self, name))}

    def conditions(self, source: Source = "events") -> tuple[Condition, ...]:
        """The global filters as conditions of a question. Sessions have no journey: there it does not narrow."""
        found = [FILTERS[name].condition(values, source) for name, values in self.chosen().items()]
        return tuple(condition for condition in found if condition is not None)

    def parameters(self) -> Parameters:
        """The query parameters that say the same again; what is as usual is left out."""
        pairs: Parameters = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value == field.get_default(call_default_factory=True) or (name == "period" and value == DEFAULT):
                continue
            for one in value if isinstance(value, list) else [value]:
                pairs.append((field.alias or name, _plain(one)))
        return pairs

    def shared_parameters(self) -> Parameters:
        """Those of `parameters` that every analytics page knows."""
        names = AnalyticsQuery.model_fields
        return [(name, value) for name, value in self.parameters() if name in names]


def changed(parameters: Iterable[tuple[str, str]], changes: Mapping[str, object]) -> Parameters:
    """Query parameters with some of them set anew: to a value, to each of a list, or to nothing (None)."""
    pairs = [(name, value) for name, value in parameters if name not in changes]
    for name, value in changes.items():
        values = value if isinstance(value, list | tuple) else [] if value is None else [value]
        pairs += [(name, _plain(one)) for one in values]
    return pairs


def address(path: str, parameters: Iterable[tuple[str, str]]) -> str:
    """`path` with a query, if there is any."""
    query = urlencode(list(parameters))
    return f"{path}?{query}" if query else path


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _is_list(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        annotation = annotation.__origin__
    return get_origin(annotation) is list
