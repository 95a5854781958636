"""What other plugins may use of the sessions plugin."""

from __future__ import annotations

from chatnation.plugins.sessions.clusters import IGNORED
from chatnation.plugins.sessions.counts import DIMENSIONS, HourCount, aligned, breakdowns, hours, stretches
from chatnation.plugins.sessions.listing import (
    LISTED_COLUMNS,
    SessionFilter,
    SessionRow,
    SessionTotals,
    list_sessions,
    sessions_called,
    total_sessions,
    totals_of_persons,
)
from chatnation.plugins.sessions.models import sessions
from chatnation.plugins.sessions.people import DayPeople, people_by_day
from chatnation.plugins.sessions.queries import RecentPerson, recent_persons
from chatnation.plugins.sessions.settings import SessionsTenantSettings

__all__ = [
    "DIMENSIONS",
    "IGNORED",
    "LISTED_COLUMNS",
    "DayPeople",
    "HourCount",
    "RecentPerson",
    "SessionFilter",
    "SessionRow",
    "SessionTotals",
    "SessionsTenantSettings",
    "aligned",
    "breakdowns",
    "hours",
    "list_sessions",
    "people_by_day",
    "recent_persons",
    "sessions",
    "sessions_called",
    "stretches",
    "total_sessions",
    "totals_of_persons",
]
