"""Keep how many different people came, by local day and the day before on which they came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sessions_0003"
down_revision = "sessions_0002"
branch_labels = None
depends_on = None

# Whose days may have changed. Most changes of a session are another event of it, which changes nobody's days: what was
# and what is then cancel out. (They are not joined: the plan of a first, small statement is kept for large ones, for
# which its nested loop is slow.) What is deleted after the tenant's counts were goes with the tenant, and is no news.
NOTE = """
CREATE FUNCTION sessions.note_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO sessions.person_news (tenant_id, leaf_id)
        SELECT DISTINCT tenant_id, person_id FROM inserted WHERE NOT is_bot;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO sessions.person_news (tenant_id, leaf_id)
        SELECT DISTINCT s.tenant_id, s.person_id
          FROM deleted AS s
         WHERE NOT s.is_bot
           AND EXISTS (SELECT FROM sessions.session_counts AS counted WHERE counted.tenant_id = s.tenant_id);
    ELSE
        INSERT INTO sessions.person_news (tenant_id, leaf_id)
        SELECT DISTINCT tenant_id, person_id
          FROM (
                SELECT tenant_id, person_id, started_at, user_id IS NULL AS nameless, -1 AS sign
                  FROM before WHERE NOT is_bot
                 UNION ALL
                SELECT tenant_id, person_id, started_at, user_id IS NULL, 1 FROM after WHERE NOT is_bot
               ) AS visits
         GROUP BY tenant_id, person_id, started_at, nameless HAVING sum(sign) <> 0;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGERS = {
    "note_inserted": ("INSERT", "NEW TABLE AS inserted"),
    "note_deleted": ("DELETE", "OLD TABLE AS deleted"),
    "note_updated": ("UPDATE", "OLD TABLE AS before NEW TABLE AS after"),
}


def upgrade() -> None:
    op.create_table(
        "people_kept",
        sa.Column("merges", sa.BigInteger, nullable=False, comment="last entry of the merge log that is counted in"),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), primary_key=True),
        sa.Column("zone", sa.Text, nullable=False, comment="time zone whose days are counted"),
        schema="sessions",
    )
    op.create_table(
        "person_days",
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column("days", sa.ARRAY(sa.Date), nullable=False, comment="on which a session of theirs began, in order"),
        sa.Column("identified_days", sa.ARRAY(sa.Date), nullable=False, comment="of these, with a user id"),
        sa.PrimaryKeyConstraint("tenant_id", "person_id"),
        schema="sessions",
    )
    op.create_table(
        "person_news",
        sa.Column("leaf_id", sa.Uuid, nullable=False),
        sa.Column("tenant_id", sa.Integer, nullable=False),
        schema="sessions",
    )
    op.create_index("person_news_by_tenant", "person_news", ["tenant_id"], schema="sessions")
    op.create_table(
        "day_people",
        sa.Column("persons", sa.BigInteger, nullable=False),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False, comment="their day before that one; -infinity: none"),
        sa.Column("identified", sa.Boolean, nullable=False, comment="true: only days with a user id count"),
        sa.PrimaryKeyConstraint("tenant_id", "identified", "day", "last_day"),
        schema="sessions",
    )
    op.execute(NOTE)
    for name, (event, tables) in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON sessions.sessions REFERENCING {tables}"
            " FOR EACH STATEMENT EXECUTE FUNCTION sessions.note_people()"
        )


def downgrade() -> None:
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON sessions.sessions")
    op.execute("DROP FUNCTION sessions.note_people()")
    for table in ("day_people", "person_news", "person_days", "people_kept"):
        op.drop_table(table, schema="sessions")
