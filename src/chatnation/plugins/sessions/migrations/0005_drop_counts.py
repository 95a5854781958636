"""Drop counts of sessions and people, and the triggers that kept them: the columnar copy tells the same."""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "sessions_0005"
down_revision = "sessions_0004"
branch_labels = None
depends_on = None

COUNTING = ("count_inserted", "count_deleted", "count_updated")
NOTING = ("note_inserted", "note_deleted", "note_updated")


def upgrade() -> None:
    for name in (*NOTING, *COUNTING):
        op.execute(f"DROP TRIGGER {name} ON sessions.sessions")
    op.execute("DROP FUNCTION sessions.note_people()")
    for name in COUNTING:
        op.execute(f"DROP FUNCTION sessions.{name}()")
    for table in ("day_people", "person_news", "person_days", "people_kept", "session_counts"):
        op.drop_table(table, schema="sessions")


def downgrade() -> None:
    for name in ("0002_counts", "0003_people"):
        import_module(f"chatnation.plugins.sessions.migrations.{name}").upgrade()
