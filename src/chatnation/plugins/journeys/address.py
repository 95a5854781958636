"""The address of the journeys page."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chatnation.plugins.dashboard.api import AnalyticsQuery, View

PATH = "/journeys"
Outcome = Literal["assisted", "completed", "abandoned", "in_progress"]
Name = Annotated[str, Field(min_length=1, max_length=300)]


class JourneysQuery(AnalyticsQuery):
    """Besides period and filters: which journeys are told one by one."""

    outcome: list[Outcome] = Field([], max_length=4, description="What became of them; without any, whatever did.")
    name: list[Name] = Field([], max_length=50, description="What events call the journey.")
    offset: int = Field(0, ge=0, le=1_000_000)


JourneysView = View[JourneysQuery]


def told_url(view: JourneysView, *outcomes: Outcome, name: tuple[str, ...] = ()) -> str:
    """The page with a list of journeys open."""
    return view.url(outcome=list(outcomes), name=list(name), offset=None) + "#card-told"
