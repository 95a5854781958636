"""What pages and the API tell, read from answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from chatnation.plugins.dashboard.api import AnalyticsQuery, View, percent_of, with_agent_names
from chatnation.plugins.whatsapp_analytics.questions import Questions
from chatnation.query import (
    Breakdown,
    BreakdownAnswer,
    DistributionAnswer,
    Funnel,
    FunnelAnswer,
    Granularity,
    IntervalsAnswer,
    TimeseriesAnswer,
)

WhatsappView = View[AnalyticsQuery]
T = TypeVar("T")
Compared = tuple[T, T]
"""Of the period, and of the one before."""


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


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """What the cards at the top tell; each but `counts` for the period, and for the one before."""

    counts: TimeseriesAnswer
    delivery: Compared[Delivery]
    replies: Compared[Replies]
    responses: Compared[IntervalsAnswer]


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

    async def key_figures(self) -> KeyFigures:
        """What the cards at the top tell, found side by side."""
        earlier = Questions(self.view.previous_range, self.view.conditions())
        counts, replied, responses, before, *receipts = await self.view.ask_all(
            self.questions.figures(self.granularity),
            self.questions.replies(),
            self.questions.responses(self.granularity),
            earlier.responses(),
            *self._receipts,
        )
        return KeyFigures(counts, _deliveries(*receipts), _replies(replied), (responses, before))

    async def figures_and_delivery(self) -> tuple[TimeseriesAnswer, Compared[Delivery]]:
        """Messages and contacts, and what became of the messages, found side by side."""
        counts, *receipts = await self.view.ask_all(self.questions.figures(self.granularity), *self._receipts)
        return counts, _deliveries(*receipts)

    async def delivery_and_replies(self) -> tuple[Delivery, Replies]:
        """What became of the messages, and who replied to them, found side by side."""
        replied, *receipts = await self.view.ask_all(self.questions.replies(), *self._receipts)
        return _deliveries(*receipts)[0], _replies(replied)[0]

    async def figures_and_resolutions(self) -> tuple[TimeseriesAnswer, IntervalsAnswer]:
        """Both, found side by side."""
        counts, resolutions = await self.view.ask_all(
            self.questions.figures(self.granularity), self.questions.resolutions()
        )
        return counts, resolutions

    async def reads(self) -> FunnelAnswer:
        return await self.view.ask(self._read)

    @property
    def _receipts(self) -> tuple[Funnel, Funnel]:
        return self.questions.receipts("delivered"), self._read

    @property
    def _read(self) -> Funnel:
        """With the trend, so that the figures and the trend share an answer."""
        return self.questions.receipts("read", self.granularity)

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

    async def responses(self) -> IntervalsAnswer:
        return await self.view.ask(self.questions.responses(self.granularity))

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


def _deliveries(delivered: FunnelAnswer, read: FunnelAnswer) -> Compared[Delivery]:
    return _delivery(delivered, read), _delivery(delivered.previous, read.previous)


def _replies(found: FunnelAnswer) -> Compared[Replies]:
    assert found.previous is not None
    now, before = ((answer.steps[0].reached, answer.steps[1].reached) for answer in (found, found.previous))
    return Replies(*now), Replies(*before)


def _delivery(delivered: FunnelAnswer | None, read: FunnelAnswer | None) -> Delivery:
    if delivered is None or read is None:
        return Delivery(0, 0, 0)
    return Delivery(delivered.steps[0].reached, delivered.steps[1].reached, read.steps[1].reached)
