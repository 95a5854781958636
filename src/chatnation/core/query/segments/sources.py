"""What there is a columnar copy of: facts, each of which happened at a moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FactSource:
    """Rows that questions may be about, such as events; each has a time.

    Whoever adds, changes or deletes rows writes into `public.segment_markers`, in the same transaction, the tenant, the
    source's name and the quarter hour in UTC of each row's time, before and after the change.

    All of these are SQL: `table` with an alias, `tenant`, `time` and `ended` are columns of it (`ended` of facts that
    last), `order` those that put rows of one time in order, and `columns` what is copied, with these names: `time` and
    `ended_at` (through `timestamptz_send`); `leaf`, `visitor`, `hint` and `session_id` (through `uuid_send`);
    `properties`, a JSON object; any other is a field, whose values are texts, numbers or flags. `ignored`: where facts
    are sessions, names of events that belong to none.
    """

    name: str
    columns: str
    table: str
    tenant: str
    time: str
    order: str
    ended: str | None = None
    ignored: frozenset[str] = frozenset()

    @property
    def select(self) -> str:
        """SQL for all rows of tenant $1; a condition may follow."""
        return f"SELECT {self.columns} FROM {self.table} WHERE {self.tenant} = $1"

    @property
    def rows(self) -> str:
        """SQL for the rows of tenant $1 from $2 up to $3, in order."""
        return f"{self.select} AND {self.time} >= $2 AND {self.time} < $3 ORDER BY {self.time}, {self.order}"

    def count(self, most: int) -> str:
        """SQL for the number of rows of tenant $1 from $2 up to $3, counted up to `most`."""
        condition = f"{self.tenant} = $1 AND {self.time} >= $2 AND {self.time} < $3"
        return f"SELECT count(*) FROM (SELECT FROM {self.table} WHERE {condition} LIMIT {most}) AS found"

    @property
    def quarters(self) -> str:
        """SQL for the quarter hours in which tenant $1 has rows."""
        quarter = f"date_bin('15 minutes', {self.time}, 'epoch')"
        return f"SELECT DISTINCT {quarter} AS quarter FROM {self.table} WHERE {self.tenant} = $1"


EVENTS = FactSource(
    "events",
    columns="""
        timestamptz_send(e.timestamp) AS time, uuid_send(e.person_id) AS leaf,
        uuid_send(CASE WHEN e.channel_type = 'whatsapp' OR e.person_id IS NULL THEN e.person_id
                       ELSE coalesce(e.anonymous_id, e.person_id) END) AS visitor,
        uuid_send(CASE WHEN e.channel_type <> 'whatsapp' THEN e.session_id END) AS hint,
        e.event_name, e.event_type, e.channel_type, e.page_path, e.referrer, e.country_code, e.city, e.user_id,
        e.external_id, e.project_id, e.client_id, e.is_bot, e.journey_start, e.journey_end, e.properties
    """,
    table="events e",
    tenant="e.tenant_id",
    time="e.timestamp",
    order="e.sequence NULLS LAST, e.message_id",
)
"""Events. Device, system, browser and SDK are those of the client: what is known of one may change."""
