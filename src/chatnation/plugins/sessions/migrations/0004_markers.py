"""Mark the quarter hours whose sessions change, for the columnar copy."""

from __future__ import annotations

from alembic import op

revision = "sessions_0004"
down_revision = "sessions_0003"
branch_labels = None
depends_on = None

# What is deleted with a tenant goes with its marks.
MARK = """
CREATE FUNCTION sessions.mark_quarters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.segment_markers (tenant_id, source, quarter)
        SELECT DISTINCT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch') FROM inserted;
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO public.segment_markers (tenant_id, source, quarter)
        SELECT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch') FROM before
         UNION
        SELECT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch') FROM after;
    ELSIF current_setting('chatnation.erasing', true) IS DISTINCT FROM 'tenant' THEN
        INSERT INTO public.segment_markers (tenant_id, source, quarter)
        SELECT DISTINCT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch') FROM deleted;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGERS = {
    "mark_inserted": ("INSERT", "NEW TABLE AS inserted"),
    "mark_deleted": ("DELETE", "OLD TABLE AS deleted"),
    "mark_updated": ("UPDATE", "OLD TABLE AS before NEW TABLE AS after"),
}

# Copies that were made before the plugin was uninstalled are of other rows.
FORGET = "DELETE FROM public.segments WHERE source = 'sessions'"
MARK_WHAT_IS_THERE = """
INSERT INTO public.segment_markers (tenant_id, source, quarter)
SELECT DISTINCT tenant_id, 'sessions', date_bin('15 minutes', started_at, 'epoch') FROM sessions.sessions
"""


def upgrade() -> None:
    op.execute(MARK)
    for name, (event, tables) in TRIGGERS.items():
        op.execute(
            f"CREATE TRIGGER {name} AFTER {event} ON sessions.sessions REFERENCING {tables}"
            " FOR EACH STATEMENT EXECUTE FUNCTION sessions.mark_quarters()"
        )
    op.execute(FORGET)
    op.execute(MARK_WHAT_IS_THERE)


def downgrade() -> None:
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON sessions.sessions")
    op.execute("DROP FUNCTION sessions.mark_quarters()")
