"""Answers of the API about WhatsApp. Percentages are 0 to 100; None where there is nothing to divide by."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chatnation.plugins.dashboard.api import PeriodAnswer


class Figures(BaseModel):
    """Key figures of a period."""

    messages_received: int
    messages_sent: int
    messages_read: int = Field(description="Of the messages sent, each once by its id, those read within 7 days.")
    unique_contacts: int = Field(description="Different persons who wrote.")
    new_contacts: int = Field(description="Persons whose first message ever is in the period.")
    read_rate: float | None = Field(description="Percent of the messages sent with an id that were read.")


class Changes(BaseModel):
    """Change against the equally long period before, in percent; 0 where there was nothing before."""

    messages_received: float
    messages_sent: float
    messages_read: float
    unique_contacts: float
    new_contacts: float
    read_rate: float


class Stats(Figures):
    """Key figures of a period against the one before."""

    period: PeriodAnswer
    previous: Figures
    change: Changes


class HourCount(BaseModel):
    """Messages received in an hour of the day."""

    hour: int = Field(ge=0, le=23)
    count: int


class Volume(BaseModel):
    """Messages received by hour of the day; all 24 are there."""

    period: PeriodAnswer
    data: list[HourCount]


class HeatmapCell(BaseModel):
    """Messages received on a weekday (0 is Sunday) in an hour."""

    day: int = Field(ge=0, le=6)
    hour: int = Field(ge=0, le=23)
    count: int


class Heatmap(BaseModel):
    """Messages received by weekday and hour; all 168 are there."""

    period: PeriodAnswer
    data: list[HeatmapCell]


class Agent(BaseModel):
    """An agent, and what they did."""

    agent_id: str
    name: str | None = Field(description="Where some event told it (`agentName`).")
    chat_count: int = Field(description="Chats resolved.")
    messages_sent: int
    contacts: int = Field(description="Different persons whom they wrote to.")


class Agents(BaseModel):
    """The ten agents who resolved most."""

    period: PeriodAnswer
    data: list[Agent]


class Country(BaseModel):
    """Messages received from one country; None where the number does not tell it."""

    country_code: str | None
    count: int
    contacts: int


class Countries(BaseModel):
    """The twenty countries from which most messages came; `other`: messages from all others."""

    period: PeriodAnswer
    data: list[Country]
    other: int


class DurationBucket(BaseModel):
    """So many took at least the lower number of minutes, and less than the higher."""

    bucket: str = Field(description="Minutes, such as `0-1` or `9+`.")
    count: int
    avg_minutes: float | None


class ResponseTime(BaseModel):
    """How long contacts wait for the next message."""

    period: PeriodAnswer
    distribution: list[DurationBucket]
    median_minutes: float | None
    p95_minutes: float | None
    answered: int
    unanswered: int = Field(description="Messages that were not answered within 24 hours.")
    open: int = Field(description="Messages that were not answered yet, but still may be.")


class FunnelStep(BaseModel):
    """A step. `unit`: what is counted."""

    step: str
    count: int
    unit: str


class MessageFunnel(BaseModel):
    """What became of the messages sent in a period, and of the contacts whom they went to."""

    period: PeriodAnswer
    funnel: list[FunnelStep] = Field(description="Sent, Delivered, Read: messages; Replied: contacts.")
    contacts_written_to: int
    delivery_rate: float | None = Field(description="Delivered of sent, in percent.")
    read_rate: float | None = Field(description="Read of delivered, in percent.")
    reply_rate: float | None = Field(
        description="Contacts who replied within 24 hours of those written to, in percent."
    )


class ResolutionStats(BaseModel):
    """From taking a chat to resolving it; durations are of the chats taken in the period."""

    period: PeriodAnswer
    avg_duration_minutes: float | None
    min_duration_minutes: float | None
    max_duration_minutes: float | None
    median_duration_minutes: float | None
    total_resolved: int = Field(description="Chats resolved in the period, whenever they were taken.")
    measured: int = Field(description="Chats taken in the period that were resolved.")
    unresolved: int = Field(description="Taken in the period, and not resolved within 30 days.")
    open: int = Field(description="Taken in the period, and not resolved yet.")


class LengthBucket(BaseModel):
    """Conversations with so many messages."""

    bucket: str = Field(description="1-3, 4-6, 7-10, 11-20 or 20+")
    count: int


class ConversationLength(BaseModel):
    """Conversations by how many messages they have in the period."""

    period: PeriodAnswer
    data: list[LengthBucket]
    conversations: int
    median: float | None


class VolumePoint(BaseModel):
    """A bucket, named by its first day, or its hour."""

    period: str
    received: int
    sent: int


class VolumeTrend(BaseModel):
    """Messages over time; every bucket is there."""

    period: PeriodAnswer
    granularity: str
    data: list[VolumePoint]
    total_received: int
    total_sent: int


class ResponsePoint(BaseModel):
    """Response times of the messages received in a bucket."""

    period: str
    median_minutes: float | None
    p95_minutes: float | None
    response_count: int
    unanswered: int


class ResponseTrend(BaseModel):
    """Response times over time."""

    period: PeriodAnswer
    granularity: str
    data: list[ResponsePoint]
    overall_median_minutes: float | None = Field(description="Of all responses, not of the medians.")
    total_responses: int
    target_minutes: float


class ReadPoint(BaseModel):
    """Messages sent in a bucket, and those of them that were read."""

    period: str
    sent: int
    read_count: int
    read_rate: float | None
    final: bool = Field(description="No message of it can be read in time any more.")


class ReadTrend(BaseModel):
    """The read rate over time, by when messages were sent."""

    period: PeriodAnswer
    granularity: str
    data: list[ReadPoint]
    total_sent: int
    total_read: int
    overall_read_rate: float | None


class NewContactsPoint(BaseModel):
    """New contacts of a bucket."""

    period: str
    new_contacts: int


class NewContactsTrend(BaseModel):
    """New contacts over time."""

    period: PeriodAnswer
    granularity: str
    data: list[NewContactsPoint]
    total_new_contacts: int
    previous_total: int
    percent_change: float
