"""Count sessions by quarter hour as they change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sessions_0002"
down_revision = "sessions_0001"
branch_labels = None
depends_on = None

# What a change of sessions adds to the counts, or takes away. Sessions that are counted alike are put together first:
# there are few kinds of them, and each kind has seven rows. A change that undoes what was never counted adds nothing:
# that happens when the counts of a tenant were erased before its sessions.
COUNT = """
CREATE FUNCTION sessions.{function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sessions.session_counts
           (tenant_id, project_id, bucket, whole_day, dimension, value, sessions, converted, journeys, page_views,
            duration_us, changes)
    SELECT k.tenant_id, k.project_id, date_bin(d.span, k.quarter, 'epoch'), d.span = '1 day', d.dimension, d.value,
           sum(k.sessions), sum(k.converted), sum(k.journeys), sum(k.page_views),
           (extract(epoch FROM sum(k.duration)) * 1000000)::int8,
           sum(k.changes)
      FROM (
            SELECT tenant_id, project_id, date_bin('15 minutes', started_at, 'epoch') AS quarter,
                   coalesce(device_type, '') AS device_type, coalesce(browser_name, '') AS browser_name,
                   coalesce(country_code, '') AS country_code,
                   sum(sign) AS sessions,
                   sum(sign * (converted_at IS NOT NULL)::int) AS converted,
                   sum(sign * (journey_at IS NOT NULL)::int) AS journeys,
                   sum(sign * page_count) AS page_views,
                   sum(CASE sign WHEN 1 THEN ended_at - started_at ELSE started_at - ended_at END) AS duration,
                   count(*) AS changes
              FROM ({rows}) AS changed
             WHERE NOT is_bot
             GROUP BY 1, 2, 3, 4, 5, 6
           ) AS k
     CROSS JOIN LATERAL (VALUES
           (interval '15 minutes', '', ''),
           (interval '15 minutes', 'device_type', k.device_type),
           (interval '15 minutes', 'browser_name', k.browser_name),
           (interval '15 minutes', 'country_code', k.country_code),
           (interval '1 day', 'device_type', k.device_type),
           (interval '1 day', 'browser_name', k.browser_name),
           (interval '1 day', 'country_code', k.country_code)
         ) AS d (span, dimension, value)
     GROUP BY 1, 2, 3, 4, 5, 6;
    RETURN NULL;
END
$$
"""
ADDED = "SELECT 1 AS sign, * FROM {table}"
TAKEN = "SELECT -1 AS sign, * FROM {table}"
COUNTED = "WHERE EXISTS (SELECT FROM sessions.session_counts AS counted WHERE counted.tenant_id = {table}.tenant_id)"

TRIGGERS = {
    "count_inserted": ("INSERT", "NEW TABLE AS inserted", ADDED.format(table="inserted")),
    "count_deleted": ("DELETE", "OLD TABLE AS deleted", f"{TAKEN} {COUNTED}".format(table="deleted")),
    "count_updated": (
        "UPDATE",
        "OLD TABLE AS before NEW TABLE AS after",
        f"{TAKEN.format(table='before')} UNION ALL {ADDED.format(table='after')}",
    ),
}

COUNT_WHAT_IS_THERE = """
INSERT INTO sessions.session_counts
       (tenant_id, project_id, bucket, whole_day, dimension, value, sessions, converted, journeys, page_views,
        duration_us, changes)
SELECT s.tenant_id, s.project_id, date_bin(d.span, s.started_at, 'epoch'), d.span = '1 day', d.dimension, d.value,
       count(*), count(s.converted_at), count(s.journey_at), sum(s.page_count),
       sum((extract(epoch FROM s.ended_at - s.started_at) * 1000000)::int8), count(*)
  FROM sessions.sessions AS s
 CROSS JOIN LATERAL (VALUES
       (interval '15 minutes', '', ''),
       (interval '15 minutes', 'device_type', coalesce(s.device_type, '')),
       (interval '15 minutes', 'browser_name', coalesce(s.browser_name, '')),
       (interval '15 minutes', 'country_code', coalesce(s.country_code, '')),
       (interval '1 day', 'device_type', coalesce(s.device_type, '')),
       (interval '1 day', 'browser_name', coalesce(s.browser_name, '')),
       (interval '1 day', 'country_code', coalesce(s.country_code, ''))
     ) AS d (span, dimension, value)
 WHERE NOT s.is_bot
 GROUP BY 1, 2, 3, 4, 5, 6
"""


def upgrade() -> None:
    op.create_table(
        "session_counts",
        sa.Column(
            "bucket", sa.DateTime(timezone=True), nullable=False, comment="quarter hour or UTC day of the beginning"
        ),
        sa.Column("sessions", sa.BigInteger, nullable=False),
        sa.Column("converted", sa.BigInteger, nullable=False),
        sa.Column("journeys", sa.BigInteger, nullable=False),
        sa.Column("page_views", sa.BigInteger, nullable=False),
        sa.Column("duration_us", sa.BigInteger, nullable=False),
        sa.Column("changes", sa.BigInteger, nullable=False, comment="only ever grows: tells whether anything changed"),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("whole_day", sa.Boolean, nullable=False, comment="true: a UTC day; each thing counts in both"),
        sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("dimension", sa.Text, nullable=False, comment="column that is broken down; empty for the totals"),
        sa.Column("value", sa.Text, nullable=False, comment="of that column; empty where it is null"),
        schema="sessions",
    )
    op.create_index(
        "session_counts_by_bucket",
        "session_counts",
        ["tenant_id", "dimension", "whole_day", "bucket"],
        schema="sessions",
    )
    op.create_index(
        "session_counts_settled_key",
        "session_counts",
        ["tenant_id", "dimension", "whole_day", "bucket", "value", "project_id"],
        unique=True,
        schema="sessions",
        postgresql_where=sa.text("settled"),
    )
    op.create_index(
        "session_counts_unsettled",
        "session_counts",
        ["tenant_id"],
        schema="sessions",
        postgresql_where=sa.text("NOT settled"),
    )
    op.execute(COUNT_WHAT_IS_THERE)
    for name, (event, tables, rows) in TRIGGERS.items():
        op.execute(COUNT.format(function=name, rows=rows))
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON sessions.sessions REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION sessions.{name}()"
        )


def downgrade() -> None:
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON sessions.sessions")
        op.execute(f"DROP FUNCTION sessions.{name}()")
    op.drop_table("session_counts", schema="sessions")
