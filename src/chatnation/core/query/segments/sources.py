"""What there is a columnar copy of: facts, each of which happened at a moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FactSource:
    """Rows that can be asked about; whoever changes one marks the quarter hour of its time (`markers.py`).

    `select` is SQL up to the condition on time: a tenant's rows ($1), with the columns that `rows.chunk_of` says;
    `time` is the column of their time and `order` that of rows of one time, in SQL. `ignored`: of a source of sessions,
    names of events that belong to none.
    """

    name: str
    select: str
    time: str
    order: str
    ignored: frozenset[str] = frozenset()

    @property
    def rows(self) -> str:
        """SQL for the rows of tenant $1 from $2 up to $3, in order."""
        return f"{self.select} AND {self.time} >= $2 AND {self.time} < $3 ORDER BY {self.time}, {self.order}"


EVENTS = FactSource(
    "events",
    """
    SELECT timestamptz_send(e.timestamp) AS time, uuid_send(e.person_id) AS leaf,
           uuid_send(CASE WHEN e.channel_type = 'whatsapp' OR e.person_id IS NULL THEN e.person_id
                          ELSE coalesce(e.anonymous_id, e.person_id) END) AS visitor,
           uuid_send(CASE WHEN e.channel_type <> 'whatsapp' THEN e.session_id END) AS hint,
           e.event_name, e.event_type, e.channel_type, e.page_path, e.referrer, e.country_code, e.city, e.user_id,
           e.external_id, e.project_id, e.client_id, e.is_bot, e.journey_start, e.journey_end, e.properties
      FROM events e
     WHERE e.tenant_id = $1
    """,
    time="e.timestamp",
    order="e.sequence NULLS LAST, e.message_id",
)
"""Events. Device, system, browser and SDK are those of the client (`clients.py`): what is known of one may change."""
