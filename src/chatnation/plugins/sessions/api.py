"""What other plugins may use of the sessions plugin."""

from __future__ import annotations

from chatnation.plugins.sessions import questions
from chatnation.plugins.sessions.clusters import IGNORED
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
from chatnation.plugins.sessions.queries import RecentPerson, recent_persons
from chatnation.plugins.sessions.settings import SessionsTenantSettings

__all__ = [
    "IGNORED",
    "LISTED_COLUMNS",
    "RecentPerson",
    "SessionFilter",
    "SessionRow",
    "SessionTotals",
    "SessionsTenantSettings",
    "list_sessions",
    "questions",
    "recent_persons",
    "sessions",
    "sessions_called",
    "total_sessions",
    "totals_of_persons",
]
