"""How a tenant counts journeys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from chatnation.plugins.journeys.labels import Labels
from chatnation.plugins.journeys.settings import JourneysTenantSettings


@dataclass(frozen=True, slots=True)
class Rules:
    """`window` and `grace` in seconds; `name_field` is the field of a start that names its journey."""

    window: float
    grace: float
    name_field: str
    taken_events: tuple[str, ...]
    labels: Labels

    @classmethod
    def of(cls, settings: JourneysTenantSettings) -> Rules:
        """The rules that settings say."""
        names = *(f"properties.{name}" for name in settings.name_properties), "event_name"
        return cls(
            settings.window_hours * 3_600,
            settings.grace_minutes * 60,
            "first_of:" + "|".join(names),
            settings.taken_events,
            Labels.of(settings.labels),
        )


RulesOf = Callable[[int], Awaitable[Rules]]
"""The rules of a tenant."""
