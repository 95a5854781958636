"""The statement that merges clusters into sessions.

A session is a minimum, a maximum, a sum or a first-of-its-kind in every column, so the statement only has to find which
rows belong together: the incoming clusters and the stored sessions of the same visits, laid out in time, with a new
session wherever the pause is longer than the gap ("gaps and islands").

`OFFSET 0` and the arrays keep the planner to the indexes: a batch touches a few rows of a large table, also when its
statistics are old.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatnation.plugins.sessions.clusters import Cluster


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its PostgreSQL type, how two rows merge, and where a cluster has it."""

    name: str
    type: str
    merge: str
    value: Callable[[Cluster], Any]


def _plain(name: str, type_: str, merge: str) -> Field:
    return Field(name, type_, merge, lambda cluster: getattr(cluster, name))


def _group(group: str, names: tuple[str, ...], *, last: bool = False) -> list[Field]:
    """The key of a first-of-its-kind group, and the columns that go with it."""
    key = f"{group}_key"
    order = f"ORDER BY {key} {'DESC' if last else 'ASC'} NULLS LAST"
    return [
        Field(key, "bytea", f"(array_agg({key} {order}))[1]", lambda cluster: getattr(cluster, group).key),
        *(
            Field(
                name,
                "text",
                f"(array_agg({name} {order}))[1]",
                lambda cluster, name=name: getattr(cluster, group).values.get(name),  # type: ignore[misc]
            )
            for name in names
        ),
    ]


VISIT = ("project_id", "channel_type", "visitor", "hint")

FIELDS = (
    _plain("project_id", "int4", ""),
    _plain("channel_type", "text", ""),
    _plain("visitor", "uuid", ""),
    _plain("hint", "uuid", ""),
    _plain("started_at", "timestamptz", "min(started_at)"),
    _plain("ended_at", "timestamptz", "max(ended_at)"),
    _plain("event_count", "int8", "sum(event_count)"),
    _plain("page_count", "int4", "sum(page_count)"),
    _plain("is_bot", "bool", "bool_or(is_bot)"),
    _plain("converted_at", "timestamptz", "min(converted_at)"),
    _plain("journey_at", "timestamptz", "min(journey_at)"),
    _plain("person_id", "uuid", "(array_agg(person_id ORDER BY user_key))[1]"),
    *_group("user", ("user_id",)),
    *_group(
        "landing",
        (
            "entry_page",
            "referrer",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_term",
            "utm_content",
            "click_id",
        ),
    ),
    *_group("exit", ("exit_page",), last=True),
    *_group("device", ("device_type", "os_name", "browser_name")),
    *_group("place", ("country_code", "city")),
    *_group("conversion", ("conversion_event",)),
)

_NAMES = ", ".join(field.name for field in FIELDS)
_MERGED = tuple(field for field in FIELDS if field.name not in VISIT)

LOCK_VISITORS = """
SELECT pg_advisory_xact_lock(hashtext('sessions.' || $1::int4), bucket) FROM unnest($2::int4[]) AS bucket
"""
"""Takes the locks of a tenant's visitor buckets ($1, $2 in ascending order) until the transaction ends."""

MERGE_CLUSTERS = f"""
WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest({", ".join(f"${number}::{field.type}[]" for number, field in enumerate(FIELDS, 3))})
        AS cluster ({_NAMES})
),
near AS MATERIALIZED (
    SELECT session.session_id FROM incoming CROSS JOIN LATERAL (
        SELECT session_id FROM sessions.sessions
        WHERE tenant_id = $1 AND visitor = incoming.visitor AND started_at <= incoming.ended_at + $2::interval
            AND ended_at >= incoming.started_at - $2::interval AND hint IS NOT DISTINCT FROM incoming.hint
            AND project_id = incoming.project_id AND channel_type = incoming.channel_type
        OFFSET 0
    ) AS session
),
stored AS MATERIALIZED (
    SELECT * FROM sessions.sessions
    WHERE tenant_id = $1 AND session_id = ANY (ARRAY(SELECT session_id FROM near)) FOR UPDATE
),
parts AS (
    SELECT {_NAMES} FROM incoming UNION ALL SELECT {_NAMES} FROM stored
),
marked AS (
    SELECT *, started_at > max(ended_at) OVER (
        PARTITION BY project_id, channel_type, visitor, hint ORDER BY started_at, ended_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) + $2::interval AS opens
    FROM parts
),
islands AS (
    SELECT *, count(*) FILTER (WHERE opens) OVER (
        PARTITION BY project_id, channel_type, visitor, hint ORDER BY started_at, ended_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS island
    FROM marked
),
merged AS MATERIALIZED (
    SELECT
        md5(concat_ws('|', $1::int4, project_id, channel_type, visitor, hint,
            (extract(epoch FROM min(started_at)) * 1000000)::int8))::uuid AS session_id,
        {", ".join(VISIT)},
        {", ".join(f"{field.merge} AS {field.name}" for field in _MERGED)}
    FROM islands GROUP BY {", ".join(VISIT)}, island
),
absorbed AS (
    DELETE FROM sessions.sessions WHERE tenant_id = $1
        AND session_id = ANY (ARRAY(SELECT session_id FROM stored EXCEPT SELECT session_id FROM merged))
)
INSERT INTO sessions.sessions (tenant_id, session_id, {", ".join(VISIT)}, {", ".join(f.name for f in _MERGED)})
SELECT $1, session_id, {", ".join(VISIT)}, {", ".join(f.name for f in _MERGED)} FROM merged
ON CONFLICT (tenant_id, session_id) DO UPDATE SET {", ".join(f"{f.name} = excluded.{f.name}" for f in _MERGED)}
"""
"""Merges clusters of tenant $1 with gap $2; from $3 on one array a field of `FIELDS`."""
