"""What the page and the API tell, read from answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatnation import TenantSettings
from chatnation.plugins.csat.questions import SCORES, Questions, Show
from chatnation.plugins.csat.settings import CsatTenantSettings
from chatnation.plugins.dashboard.api import View, percent_of, with_agent_names
from chatnation.query import (
    BreakdownAnswer,
    BreakdownRow,
    DistributionAnswer,
    EventRow,
    EventsAnswer,
    OutcomeCounts,
    OutcomesAnswer,
    TimeseriesAnswer,
)

NAME = "csat"


@dataclass(frozen=True, slots=True)
class Scores:
    """How many responses there are of each score, from 1 to 5."""

    counts: Sequence[int]

    @classmethod
    def of_row(cls, row: BreakdownRow) -> Scores:
        """Of a row of `Questions.breakdown`."""
        return cls([int(count or 0) for count in row.measures[2:]])

    @classmethod
    def of_distribution(cls, answer: DistributionAnswer) -> Scores:
        """Of the answer to `Questions.scores`."""
        return cls([bucket.count for bucket in answer.buckets])

    @classmethod
    def of_outcomes(cls, counts: OutcomeCounts) -> Scores:
        """Of surveys that were answered."""
        return cls([counts.outcomes.get(str(score), 0) for score in SCORES])

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def average(self) -> float | None:
        weighted = sum(score * count for score, count in zip(SCORES, self.counts, strict=True))
        return weighted / self.total if self.total else None

    @property
    def five_star(self) -> float | None:
        """In percent."""
        return percent_of(self.counts[-1], self.total)


class Reports:
    """What is asked for a view."""

    def __init__(self, view: View[Any]) -> None:
        self.view = view
        self.questions = Questions(view.range, view.conditions())

    async def settings(self) -> CsatTenantSettings:
        return await self.view.app.services.get(TenantSettings).get(self.view.tenant.id, NAME, CsatTenantSettings)

    async def figures(self) -> TimeseriesAnswer:
        return await self.view.ask(self.questions.figures(self.view.granularity))

    async def scores(self) -> Scores:
        return Scores.of_distribution(await self.view.ask(self.questions.scores()))

    async def breakdown(self, by: str) -> BreakdownAnswer:
        return await self.view.ask(self.questions.breakdown(by))

    async def surveys(self) -> OutcomesAnswer:
        return await self.view.ask(self.questions.surveys(self.view.granularity))

    async def figures_and_surveys(self) -> tuple[TimeseriesAnswer, OutcomesAnswer]:
        """Both, found side by side."""
        cut = self.view.granularity
        figures, surveys = await self.view.ask_all(self.questions.figures(cut), self.questions.surveys(cut))
        return figures, surveys

    async def summary(self, recent: int) -> tuple[TimeseriesAnswer, Scores, OutcomesAnswer, EventsAnswer]:
        """Figures, scores, surveys and so many of the latest ratings, found side by side."""
        cut, low = self.view.granularity, (await self.settings()).low_score
        figures, scores, surveys, latest = await self.view.ask_all(
            self.questions.figures(cut),
            self.questions.scores(),
            self.questions.surveys(cut),
            self.questions.feedback("latest", low, recent),
        )
        return figures, Scores.of_distribution(scores), surveys, latest

    async def surveys_with_names(self) -> tuple[OutcomesAnswer, Mapping[str, str]]:
        """The surveys, and what agents are called."""
        return await with_agent_names(self.view, self.questions.surveys(self.view.granularity))

    async def feedback(self, show: Show, limit: int, after: str | None = None) -> EventsAnswer:
        low = (await self.settings()).low_score
        return await self.view.ask(self.questions.feedback(show, low, limit, after))


def rating_of(event: EventRow) -> int | None:
    """The score of a rating, or None where it is no whole number from 1 to 5."""
    given = event.properties.get("rating")
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        return None
    try:
        number = float(given)
    except ValueError:
        return None
    return int(number) if number in SCORES else None


def text_of(event: EventRow, *names: str) -> str | None:
    """The first of several properties that is a text, and not an empty one."""
    found = (event.properties.get(name) for name in names)
    return next((value.strip() for value in found if isinstance(value, str) and value.strip()), None)


def answered_share(counts: OutcomeCounts | None) -> float | None:
    """Of surveys those that were answered, in percent."""
    return None if counts is None else percent_of(Scores.of_outcomes(counts).total, counts.attempts)


def rounded(average: float | None) -> float | None:
    """An average score to one decimal."""
    return None if average is None else round(average, 1)
