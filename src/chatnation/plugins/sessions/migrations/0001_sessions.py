"""Make the table of sessions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sessions_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sessions",
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column(
            "visitor", sa.Uuid, nullable=False, comment="anonymous id on web and mobile, else the person's leaf id"
        ),
        sa.Column("hint", sa.Uuid, comment="session id that the client sent"),
        sa.Column("person_id", sa.Uuid, nullable=False, comment="leaf id; resolve it through person_merges"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("converted_at", sa.DateTime(timezone=True), comment="time of the first conversion event"),
        sa.Column(
            "journey_at", sa.DateTime(timezone=True), comment="time of the first journey start or hand-over to an agent"
        ),
        sa.Column("event_count", sa.BigInteger, nullable=False),
        sa.Column("project_id", sa.Integer, nullable=False),
        sa.Column("page_count", sa.Integer, nullable=False),
        sa.Column("is_bot", sa.Boolean, nullable=False),
        sa.Column("channel_type", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text),
        sa.Column("entry_page", sa.Text),
        sa.Column("exit_page", sa.Text),
        sa.Column("referrer", sa.Text),
        sa.Column("utm_source", sa.Text),
        sa.Column("utm_medium", sa.Text),
        sa.Column("utm_campaign", sa.Text),
        sa.Column("utm_term", sa.Text),
        sa.Column("utm_content", sa.Text),
        sa.Column("click_id", sa.Text, comment="name=value of the first advertising click id in the landing address"),
        sa.Column("device_type", sa.Text),
        sa.Column("os_name", sa.Text),
        sa.Column("browser_name", sa.Text),
        sa.Column("country_code", sa.Text),
        sa.Column("city", sa.Text),
        sa.Column("conversion_event", sa.Text),
        sa.Column("user_key", sa.LargeBinary, comment="place of the event that gave user and person"),
        sa.Column(
            "landing_key", sa.LargeBinary, comment="place of the event that gave entry page, referrer and campaign"
        ),
        sa.Column("exit_key", sa.LargeBinary, comment="place of the event that gave the exit page"),
        sa.Column("device_key", sa.LargeBinary, comment="place of the event that gave device, system and browser"),
        sa.Column("place_key", sa.LargeBinary, comment="place of the event that gave country and city"),
        sa.Column("conversion_key", sa.LargeBinary, comment="place of the event that converted"),
        sa.PrimaryKeyConstraint("tenant_id", "session_id"),
        schema="sessions",
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index("sessions_by_start", "sessions", ["tenant_id", "started_at"], schema="sessions")
    op.create_index("sessions_by_visitor", "sessions", ["tenant_id", "visitor", "started_at"], schema="sessions")
    op.create_index("sessions_by_person", "sessions", ["tenant_id", "person_id"], schema="sessions")


def downgrade() -> None:
    op.drop_table("sessions", schema="sessions")
