"""Sessions as rows that questions may be about. Triggers mark the quarter hours whose sessions change."""

from __future__ import annotations

from chatnation.plugins.sessions.clusters import IGNORED, UTM
from chatnation.query import FactSource

_AS_THEY_ARE = (
    *("session_id", "visitor", "hint", "ended_at", "channel_type", "entry_page", "exit_page", "referrer", *UTM),
    *("device_type", "os_name", "browser_name", "country_code", "city", "conversion_event", "user_id", "project_id"),
    *("is_bot", "page_count", "event_count"),
)

SESSIONS = FactSource(
    "sessions",
    table="sessions.sessions s",
    tenant="s.tenant_id",
    order="s.session_id",
    columns={
        "time": "s.started_at",
        "leaf": "s.person_id",
        **{name: f"s.{name}" for name in _AS_THEY_ARE},
        "converted": "s.converted_at IS NOT NULL",
        "journey": "s.journey_at IS NOT NULL",
        "duration_seconds": "extract(epoch FROM s.ended_at - s.started_at)::float8",
    },
    ignored=IGNORED,
)
