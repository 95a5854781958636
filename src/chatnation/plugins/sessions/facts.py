"""Sessions as rows that questions may be about. Triggers mark the quarter hours whose sessions change."""

from __future__ import annotations

from chatnation.plugins.sessions.clusters import IGNORED
from chatnation.query import FactSource

SESSIONS = FactSource(
    "sessions",
    columns="""
        timestamptz_send(s.started_at) AS time, timestamptz_send(s.ended_at) AS ended_at,
        uuid_send(s.session_id) AS session_id, uuid_send(s.person_id) AS leaf, uuid_send(s.visitor) AS visitor,
        uuid_send(s.hint) AS hint, s.channel_type, s.entry_page, s.exit_page, s.referrer, s.utm_source, s.utm_medium,
        s.utm_campaign, s.utm_term, s.utm_content, s.device_type, s.os_name, s.browser_name, s.country_code, s.city,
        s.conversion_event, s.user_id, s.project_id, s.is_bot, s.converted_at IS NOT NULL AS converted,
        s.journey_at IS NOT NULL AS journey, extract(epoch FROM s.ended_at - s.started_at)::float8 AS duration_seconds,
        s.page_count, s.event_count
    """,
    table="sessions.sessions s",
    tenant="s.tenant_id",
    time="s.started_at",
    order="s.session_id",
    ended="s.ended_at",
    ignored=IGNORED,
)
