"""What other plugins may use of the sessions plugin."""

from __future__ import annotations

from chatnation.plugins.sessions.counts import DIMENSIONS, HourCount, aligned, breakdowns, hours, stretches
from chatnation.plugins.sessions.models import sessions
from chatnation.plugins.sessions.people import DayPeople, people_by_day
from chatnation.plugins.sessions.queries import RecentPerson, recent_persons
from chatnation.plugins.sessions.settings import SessionsTenantSettings

__all__ = [
    "DIMENSIONS",
    "DayPeople",
    "HourCount",
    "RecentPerson",
    "SessionsTenantSettings",
    "aligned",
    "breakdowns",
    "hours",
    "people_by_day",
    "recent_persons",
    "sessions",
    "stretches",
]
