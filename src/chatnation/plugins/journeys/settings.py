"""What a tenant decides about journeys."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, field_validator

PropertyName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^|]+$")]
EventName = Annotated[str, Field(min_length=1, max_length=200)]


class JourneysTenantSettings(BaseModel):
    """How journeys are counted. A change counts for the past too."""

    window_hours: int = Field(
        24, ge=1, le=2_160, title="Longest journey (hours)", description="What happens later belongs to no journey."
    )
    grace_minutes: int = Field(
        30,
        ge=1,
        le=1_440,
        title="Grace (minutes)",
        description="So long after a person's last event, a journey that did not end is still in progress.",
    )
    name_properties: tuple[PropertyName, ...] = Field(
        ("journey", "obligation_type", "step", "journeyStep"),
        max_length=8,
        title="Properties that name a journey",
        description="Of the event that starts it; the first that is there counts. Without any, the event's name does.",
    )
    taken_events: tuple[EventName, ...] = Field(
        ("chat.assigned",),
        max_length=20,
        title="Other events by which an agent takes a chat",
        description="They make a journey assisted, as agent.handoff does. Counts of hand-offs do not have them.",
    )
    labels: tuple[Annotated[str, Field(max_length=250)], ...] = Field(
        (),
        max_length=500,
        title="Labels",
        description="What journeys and steps are called on pages: a line each, such as mri = Monthly rental income.",
    )

    @field_validator("labels")
    @classmethod
    def _labels_have_two_sides(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        for line in lines:
            key, _, label = line.partition("=")
            if not key.strip() or not label.strip():
                raise ValueError(f"“{line}” is no label: write name = label")
        return lines
