"""What the API of the overview is asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chatnation.plugins.dashboard.api import FILTERS, FilterName, PeriodQuery
from chatnation.query import Condition, Source

HEEDED: tuple[FilterName, ...] = ("device", "country", "channel")
"""The global filters that mean something for sessions."""
Texts = Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=50)]


class OverviewQuery(PeriodQuery):
    """The period, and the filters that all of analytics knows."""

    device: Texts = Field([], description="Kinds of device; `unknown` for none.")
    country: Texts = Field([], description="Two-letter country codes; `unknown` for none.")
    channel: Texts = Field([], description="Channels, such as `web` or `whatsapp`.")

    def conditions(self, source: Source = "sessions") -> tuple[Condition, ...]:
        """The filters, for a question."""
        found = [FILTERS[name].condition(values, source) for name in HEEDED if (values := getattr(self, name))]
        return tuple(condition for condition in found if condition is not None)
