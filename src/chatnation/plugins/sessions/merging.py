"""The statement that merges clusters into sessions.

A session is a minimum, a maximum, a sum or a first-of-its-kind in every column, so the statement only has to find which
rows belong together: the incoming clusters and the stored sessions of the same visits, laid out in time, with a new
session wherever the pause is longer than the gap ("gaps and islands").

The columns that come from one event, the first or last of a kind, are merged as one array with the place of that event
in front, so they are a minimum or maximum too: aggregates with an order, one a column, took half of the statement.

Rows need no lock of their own: only the holder of their visitor's lock changes them, and erasing waits for all that
store events.

`OFFSET 0` and row addresses keep the planner to the indexes: a batch touches a few rows of a large table, also when its
statistics are old.
"""

from __future__ import annotations

from typing import NamedTuple

from chatnation.plugins.sessions.clusters import LANDING, Cluster, Visit


class Group(NamedTuple):
    """Columns that come from one event, and `<name>_key`, its place. `pick` is min for the first event, or max."""

    name: str
    pick: str
    columns: tuple[str, ...]

    @property
    def array(self) -> str:
        """All of them as one array, null where there was no such event; it sorts like the key."""
        columns = (f"{column}::text" for column in self.columns)
        parts = ", ".join((f"encode({self.name}_key, 'hex') COLLATE \"C\"", *columns))
        return f"CASE WHEN {self.name}_key IS NOT NULL THEN ARRAY[{parts}] END AS {self.name}_values"

    @property
    def merged(self) -> str:
        return f"{self.pick}({self.name}_values) AS {self.name}_values"

    @property
    def unpacked(self) -> str:
        """The columns again."""
        values = f"{self.name}_values"
        columns = (
            f"{values}[{place}]::{TYPES.get(column, 'text')} AS {column}"
            for place, column in enumerate(self.columns, 2)
        )
        return ", ".join((f"decode({values}[1], 'hex') AS {self.name}_key", *columns))


GROUPS = (
    Group("user", "min", ("user_id", "person_id")),
    Group("landing", "min", LANDING),
    Group("exit", "max", ("exit_page",)),
    Group("device", "min", ("device_type", "os_name", "browser_name")),
    Group("place", "min", ("country_code", "city")),
    Group("conversion", "min", ("conversion_event",)),
)
MERGES = {
    "started_at": "min",
    "ended_at": "max",
    "event_count": "sum",
    "page_count": "sum",
    "is_bot": "bool_or",
    "converted_at": "min",
    "journey_at": "min",
}
"""How columns merge that stand alone."""

TYPES = {
    "project_id": "int4",
    "visitor": "uuid",
    "hint": "uuid",
    "person_id": "uuid",
    "started_at": "timestamptz",
    "ended_at": "timestamptz",
    "converted_at": "timestamptz",
    "journey_at": "timestamptz",
    "event_count": "int8",
    "page_count": "int4",
    "is_bot": "bool",
    **{f"{group.name}_key": "bytea" for group in GROUPS},
}
"""Types of the columns that are not text."""

_COLUMNS = ", ".join(Cluster._fields)
_VISIT = ", ".join(Visit._fields)
_PARTS = ", ".join((_VISIT, *MERGES, *(group.array for group in GROUPS)))
_MERGED = ", ".join(
    (*(f"{how}({column}) AS {column}" for column, how in MERGES.items()), *(group.merged for group in GROUPS))
)
_UNPACKED = ", ".join((_VISIT, *MERGES, *(group.unpacked for group in GROUPS)))

LOCK_VISITORS = """
SELECT pg_advisory_xact_lock(hashtext('sessions.' || $1::int4), bucket) FROM unnest($2::int4[]) AS bucket
"""
"""Takes the locks of a tenant's visitor buckets ($1, $2 in ascending order) until the transaction ends."""

MERGE_CLUSTERS = f"""
WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest($3::sessions.cluster[])
),
stored AS MATERIALIZED (
    SELECT DISTINCT ON (session_id) session.* FROM incoming CROSS JOIN LATERAL (
        SELECT ctid AS address, * FROM sessions.sessions
        WHERE tenant_id = $1 AND visitor = incoming.visitor AND started_at <= incoming.ended_at + $2::interval
            AND ended_at >= incoming.started_at - $2::interval AND hint IS NOT DISTINCT FROM incoming.hint
            AND project_id = incoming.project_id AND channel_type = incoming.channel_type
        OFFSET 0
    ) AS session
),
parts AS (
    SELECT {_PARTS} FROM incoming UNION ALL SELECT {_PARTS} FROM stored
),
marked AS (
    SELECT *, started_at > max(ended_at) OVER (
        PARTITION BY {_VISIT} ORDER BY started_at, ended_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) + $2::interval AS opens
    FROM parts
),
islands AS (
    SELECT *, count(*) FILTER (WHERE opens) OVER (
        PARTITION BY {_VISIT} ORDER BY started_at, ended_at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS island
    FROM marked
),
merged AS MATERIALIZED (
    SELECT
        md5(concat_ws('|', $1::int4, {_VISIT}, (extract(epoch FROM min(started_at)) * 1000000)::int8))::uuid
            AS session_id,
        {_VISIT}, {_MERGED}
    FROM islands GROUP BY {_VISIT}, island
),
absorbed AS (
    DELETE FROM sessions.sessions WHERE ctid = ANY (ARRAY(
        SELECT address FROM stored WHERE session_id NOT IN (SELECT session_id FROM merged)
    ))
)
INSERT INTO sessions.sessions (tenant_id, session_id, {_COLUMNS})
SELECT $1, session_id, {_COLUMNS} FROM (SELECT session_id, {_UNPACKED} FROM merged) AS unpacked
ON CONFLICT (tenant_id, session_id) DO UPDATE SET {
    ", ".join(f"{column} = excluded.{column}" for column in Cluster._fields if column not in Visit._fields)
}
"""
"""Merges the clusters $3 of tenant $1 with gap $2."""
