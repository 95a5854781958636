"""Which events belong to a session, by the rule of the sessions plugin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from chatnation.query import Analytics, EventRow, Events, Range

if TYPE_CHECKING:
    from chatnation.plugins.sessions.api import SessionRow

MOST = 5_000
"""Events of one session that are looked at."""
_MICROSECOND = timedelta(microseconds=1)


def belongs(session: SessionRow, event: EventRow) -> bool:
    """Whether an event of the session's person is one of the session."""
    from chatnation.plugins.sessions.api import IGNORED

    if event.event_name in IGNORED or not session.started_at <= event.timestamp <= session.ended_at:
        return False
    if (event.project_id, event.channel_type) != (session.project_id, session.channel_type):
        return False
    if session.channel_type == "whatsapp":
        return True  # There a visit is the contact's, whichever ids the sender made up.
    return event.session_id == session.hint and event.anonymous_id in (None, session.visitor)


async def events_of_session(analytics: Analytics, tenant_id: int, session: SessionRow) -> list[EventRow]:
    """The events of a session, oldest first; of a very long one the first few thousand."""
    question = Events(
        range=Range(session.started_at, session.ended_at + _MICROSECOND),
        include_bots=True,
        person_id=session.person_id,
        oldest_first=True,
        limit=MOST,
    )
    answer = await analytics.ask(tenant_id, question)
    return [event for event in answer.events if belongs(session, event)]
