"""What pages and the API tell, read from answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatnation.plugins.dashboard.api import AnalyticsQuery, View, percent_of, with_agent_names
from chatnation.plugins.whatsapp_analytics.questions import Questions
from chatnation.query import (
    Breakdown,
    BreakdownAnswer,
    DistributionAnswer,
    FunnelAnswer,
    Granularity,
    IntervalsAnswer,
    TimeseriesAnswer,
)

WhatsappView = View[AnalyticsQuery]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages sent, each once, and how many of them were delivered and read."""

    sent: int
    delivered: int
    read: int

    @property
    def delivered_share(self) -> float | None:
        return percent_of(self.delivered, self.sent)

    @property
    def read_share(self) -> float | None:
        """Of all that were sent."""
        return percent_of(self.read, self.sent)

    @property
    def read_of_delivered(self) -> float | None:
        return percent_of(self.read, self.delivered)


@dataclass(frozen=True, slots=True)
class Replies:
    """Contacts who were written to, and those who replied."""

    contacts: int
    replied: int

    @property
    def share(self) -> float | None:
        return percent_of(self.replied, self.contacts)


class Reports:
    """What is asked for a view."""

    def __init__(self, view: View[Any]) -> None:
        self.view = view
        self.questions = Questions(view.range, view.conditions())

    @property
    def granularity(self) -> Granularity:
        return self.view.granularity

    async def figures(self) -> TimeseriesAnswer:
        return await self.view.ask(self.questions.figures(self.granularity))

    async def delivery(self) -> tuple[Delivery, Delivery]:
        """In the period, and in the one before."""
        delivered, read = await self.view.ask_all(self.questions.receipts("delivered"), self.read_question)
        return _delivery(delivered, read), _delivery(delivered.previous, read.previous)

    @property
    def read_question(self) -> Any:
        """With the trend, so that the figures and the trend share an answer."""
        return self.questions.receipts("read", self.granularity)

    async def reads(self) -> FunnelAnswer:
        answer: FunnelAnswer = await self.view.ask(self.read_question)
        return answer

    async def delivery_by(self, field: str) -> list[tuple[str | None, Delivery]]:
        """By the value that a field of the sent message has; the rest, if any, is not told."""
        delivered, read = await self.view.ask_all(
            self.questions.receipts("delivered", by=field), self.questions.receipts("read", by=field)
        )
        found = {group.value: group.reached for group in read.groups if not group.other}
        return [
            (group.value, Delivery(group.reached[0], group.reached[1], found.get(group.value, (0, 0))[1]))
            for group in delivered.groups
            if not group.other
        ]

    async def replies(self) -> tuple[Replies, Replies]:
        """In the period, and in the one before."""
        found = await self.view.ask(self.questions.replies())
        assert found.previous is not None
        now, before = ((answer.steps[0].reached, answer.steps[1].reached) for answer in (found, found.previous))
        return Replies(*now), Replies(*before)

    async def responses(self) -> IntervalsAnswer:
        return await self.view.ask(self.questions.responses(self.granularity))

    async def responses_before(self) -> IntervalsAnswer:
        before = Questions(self.view.previous_range, self.view.conditions())
        return await self.view.ask(before.responses())

    async def responders(self) -> tuple[IntervalsAnswer, Mapping[str, str]]:
        """Response times by who answered, and what agents are called."""
        return await with_agent_names(self.view, self.questions.responders())

    async def agents(self, limit: int) -> tuple[BreakdownAnswer, Mapping[str, str]]:
        """What agents did, and what they are called."""
        return await with_agent_names(self.view, self.questions.agents(limit))

    async def resolutions(self) -> IntervalsAnswer:
        return await self.view.ask(self.questions.resolutions())

    async def lengths(self) -> DistributionAnswer:
        return await self.view.ask(self.questions.lengths())

    async def breakdown(self, question: Breakdown) -> BreakdownAnswer:
        return await self.view.ask(question)


def minutes(seconds: float | None) -> float | None:
    """Seconds as minutes."""
    return None if seconds is None else seconds / 60


def _delivery(delivered: FunnelAnswer | None, read: FunnelAnswer | None) -> Delivery:
    if delivered is None or read is None:
        return Delivery(0, 0, 0)
    return Delivery(delivered.steps[0].reached, delivered.steps[1].reached, read.steps[1].reached)
