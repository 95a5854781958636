"""What there is a columnar copy of: facts, each of which happened at a moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TIME, ENDED = "time", "ended_at"
LEAF, VISITOR, HINT, SESSION = "leaf", "visitor", "hint", "session_id"
OBJECT = "properties"

_TIMES = frozenset({TIME, ENDED})
_IDS = frozenset({LEAF, VISITOR, HINT, SESSION})
_NOBODY = "'\\x00000000000000000000000000000000'::bytea"


@dataclass(frozen=True, slots=True)
class FactSource:
    """Rows that questions may be about, such as events; each has a time.

    Whoever adds, changes or deletes rows writes into `public.segment_markers`, in the same transaction, the tenant, the
    source's name and the quarter hour in UTC of each row's time, before and after the change.

    The rest is SQL: `table` with an alias, `tenant`, a column of it, `order`, by which rows of one time stand, and
    `columns`, what is copied, by name: `time`, and `ended_at` of facts that last; the ids `leaf` (of who did it),
    `visitor` and `hint` (by which events and sessions find each other) and `session_id`; `properties`, a JSON object.
    All others are fields, whose values are texts, numbers or flags; `project_id` and `channel_type` have to be among
    them. `ignored`: where facts are sessions, names of events that belong to none.
    """

    name: str
    table: str
    tenant: str
    order: str
    columns: Mapping[str, str]
    ignored: frozenset[str] = frozenset()

    @property
    def time(self) -> str:
        """The column by which rows have a place in time."""
        return self.columns[TIME]

    @property
    def select(self) -> str:
        """SQL for all rows of tenant $1, as `rows.chunk_of` takes them; a condition may follow."""
        columns = ", ".join(f"{_sent(name, column)} AS {name}" for name, column in self.columns.items())
        return f"SELECT {columns} FROM {self.table} WHERE {self.tenant} = $1"

    @property
    def rows(self) -> str:
        """SQL for the rows of tenant $1 from $2 up to $3, in order."""
        return f"{self.select} AND {self._within}"

    @property
    def gathered(self) -> str:
        """SQL for one row, with all that is in `rows` column by column, as `rows.chunk_of_columns` takes it."""
        columns = ", ".join(f"{_gathered(name)} AS {name}" for name in self.columns)
        inner = ", ".join(f"{column} AS {name}" for name, column in self.columns.items())
        rows = f"SELECT {inner} FROM {self.table} WHERE {self.tenant} = $1 AND {self._within}"
        return f"SELECT {columns} FROM ({rows}) AS found"

    @property
    def _within(self) -> str:
        return f"{self.time} >= $2 AND {self.time} < $3 ORDER BY {self.time}, {self.order}"

    def count(self, most: int) -> str:
        """SQL for the number of rows of tenant $1 from $2 up to $3, counted up to `most`."""
        condition = f"{self.tenant} = $1 AND {self.time} >= $2 AND {self.time} < $3"
        return f"SELECT count(*) FROM (SELECT FROM {self.table} WHERE {condition} LIMIT {most}) AS found"

    @property
    def quarters(self) -> str:
        """SQL for the quarter hours in which tenant $1 has rows."""
        quarter = f"date_bin('15 minutes', {self.time}, 'epoch')"
        return f"SELECT DISTINCT {quarter} AS quarter FROM {self.table} WHERE {self.tenant} = $1"


def _sent(name: str, column: str) -> str:
    """A value in the form in which it travels fastest."""
    if name in _TIMES:
        return f"timestamptz_send({column})"
    return f"uuid_send({column})" if name in _IDS else column


def _gathered(name: str) -> str:
    """All values of a column as one."""
    if name in _TIMES:
        return f"string_agg(timestamptz_send({name}), ''::bytea)"
    if name in _IDS:
        return f"string_agg(coalesce(uuid_send({name}), {_NOBODY}), ''::bytea)"
    return f"'[' || string_agg({name}::text, ',') || ']'" if name == OBJECT else f"array_agg({name})"


EVENTS = FactSource(
    "events",
    table="events e",
    tenant="e.tenant_id",
    order="e.sequence NULLS LAST, e.message_id",
    columns={
        TIME: "e.timestamp",
        LEAF: "e.person_id",
        VISITOR: (
            "CASE WHEN e.channel_type = 'whatsapp' OR e.person_id IS NULL THEN e.person_id"
            " ELSE coalesce(e.anonymous_id, e.person_id) END"
        ),
        HINT: "CASE WHEN e.channel_type <> 'whatsapp' THEN e.session_id END",
        **{
            name: f"e.{name}"
            for name in (
                *("event_name", "event_type", "channel_type", "page_path", "referrer", "country_code", "city"),
                *("user_id", "external_id", "project_id", "client_id", "is_bot", "journey_start", "journey_end"),
            )
        },
        OBJECT: "e.properties",
    },
)
"""Events. Device, system, browser and SDK are those of the client: what is known of one may change."""
