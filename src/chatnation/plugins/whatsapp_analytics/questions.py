"""What is asked of events about WhatsApp.

Filters narrow what begins something (a message sent, a message received), never the receipts and answers that follow:
receipts often say no more than the id of their message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from chatnation.query import (
    DAY,
    Breakdown,
    Condition,
    Distribution,
    Filter,
    Funnel,
    Granularity,
    Intervals,
    Measure,
    Range,
    Selection,
    Series,
    Step,
    Timeseries,
)

RECEIVED = Selection(("message.received",))
SENT = Selection(("message.sent",))
DELIVERED = Selection(("message.delivered", "message.read"))
"""What was read was delivered, whether a receipt said so or not."""
READ = Selection(("message.read",))
ACCEPTED = Selection(("agent.handoff",))
RESOLVED = Selection(("chat.resolved",))

MESSAGE = "first_of:properties.messageId|properties.message_id"
"""Senders spell it either way; one and the same message is one, also where its receipts are spelled otherwise."""
CHAT = "first_of:properties.inboxSessionId|properties.chatId"
CONVERSATION = "first_of:properties.chatId|properties.inboxSessionId|session|person"
TEMPLATE = "first_of:properties.template.name|properties.templateId"
AGENT = "properties.agentId"
SENDER = "first_of:properties.agentId|properties.isAutomated"
"""The agent who wrote, or `true` for the bot."""
BOT = "true"

RECEIPTS_WITHIN = 7 * DAY
ANSWER_WITHIN = DAY
"""Seconds; as long as WhatsApp lets one answer freely."""
RESOLVED_WITHIN = 30 * DAY
RESPONSE_EDGES = tuple(60.0 * minute for minute in range(10))
RESOLUTION_EDGES = (0.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 86_400.0)
LENGTH_EDGES = (1.0, 4.0, 7.0, 11.0, 21.0)
"""Messages of a conversation: 1 to 3, 4 to 6, 7 to 10, 11 to 20, more."""

Receipt = Literal["delivered", "read"]
_RECEIPTS = {"delivered": DELIVERED, "read": READ}


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions about a stretch of time, through the filters of a page."""

    stretch: Range
    conditions: Sequence[Condition] = ()

    def figures(self, granularity: Granularity) -> Timeseries:
        """Messages received and sent, contacts who wrote, and those who never had before."""
        return Timeseries(
            range=self.stretch,
            filters=tuple(self.conditions),
            series=(
                Series("received", RECEIVED),
                Series("sent", SENT),
                Series("contacts", RECEIVED, Measure("persons")),
                Series("new_contacts", RECEIVED, Measure("new_persons")),
                Series("resolved", RESOLVED),
            ),
            granularity=granularity,
            compare=True,
        )

    def receipts(self, receipt: Receipt, granularity: Granularity | None = None, by: str | None = None) -> Funnel:
        """Of the messages sent, each counted once by its id, those that were delivered, or read."""
        return Funnel(
            range=self.stretch,
            steps=(Step("sent", self._narrowed(SENT)), Step(receipt, _RECEIPTS[receipt])),
            window=RECEIPTS_WITHIN,
            actor=MESSAGE,
            granularity=granularity,
            by=by,
            limit=50,
            compare=by is None,
        )

    def replies(self) -> Funnel:
        """Of the contacts who were written to, those who wrote within a day after that."""
        return Funnel(
            range=self.stretch,
            steps=(Step("written to", self._narrowed(SENT)), Step("replied", RECEIVED)),
            window=ANSWER_WITHIN,
            compare=True,
        )

    def responses(self, granularity: Granularity | None = None) -> Intervals:
        """From each message of a contact to the next one that the contact is sent."""
        return Intervals(
            range=self.stretch,
            start=self._narrowed(RECEIVED),
            end=SENT,
            within=ANSWER_WITHIN,
            edges=RESPONSE_EDGES,
            granularity=granularity,
        )

    def responders(self) -> Intervals:
        """The same by who answered."""
        return replace(self.responses(), by=SENDER, attribution="end", limit=50)

    def resolutions(self) -> Intervals:
        """From the moment that an agent takes a chat to its end."""
        return Intervals(
            range=self.stretch,
            start=self._narrowed(ACCEPTED),
            end=RESOLVED,
            within=RESOLVED_WITHIN,
            starts="first",
            actor=CHAT,
            edges=RESOLUTION_EDGES,
        )

    def lengths(self) -> Distribution:
        """How many messages conversations have."""
        return Distribution(
            range=self.stretch,
            filters=tuple(self.conditions),
            select=Selection(("message.received", "message.sent")),
            per=CONVERSATION,
            edges=LENGTH_EDGES,
        )

    def hours(self) -> Breakdown:
        return self._breakdown(("time.hour",), 24, Series("received", RECEIVED))

    def week(self) -> Breakdown:
        return self._breakdown(("time.weekday", "time.hour"), 168, Series("received", RECEIVED))

    def countries(self, limit: int) -> Breakdown:
        persons = Series("contacts", RECEIVED, Measure("persons"))
        return self._breakdown(("country_code",), limit, Series("received", RECEIVED), persons)

    def agents(self, limit: int) -> Breakdown:
        """Chats resolved by agent, and what agents wrote."""
        by_agents = (Filter(AGENT, "is_set"),)
        return self._breakdown(
            (AGENT,),
            limit,
            Series("resolved", replace(RESOLVED, filters=by_agents)),
            Series("sent", replace(SENT, filters=by_agents)),
            Series("contacts", replace(SENT, filters=by_agents), Measure("persons")),
        )

    def _breakdown(self, by: tuple[str, ...], limit: int, *series: Series) -> Breakdown:
        return Breakdown(range=self.stretch, filters=tuple(self.conditions), series=series, by=by, limit=limit)

    def _narrowed(self, select: Selection) -> Selection:
        return replace(select, filters=(*select.filters, *self.conditions))
