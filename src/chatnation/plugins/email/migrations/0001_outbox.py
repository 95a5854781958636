"""Mails that wait, and what became of the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "email_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("ended_at", sa.DateTime(timezone=True), comment="When it was sent or given up."),
        sa.Column(
            "tenant_id",
            sa.Integer,
            sa.ForeignKey("public.tenants.id"),
            comment="In whose name it goes; null: in the product's.",
        ),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column(
            "state",
            sa.Text,
            nullable=False,
            server_default=sa.text("'waiting'"),
            comment="waiting, sent or given_up.",
        ),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("reply_to", sa.Text),
        sa.Column("dedupe_key", sa.Text),
        sa.Column(
            "sealed_values",
            sa.Text,
            comment="Sealed for `email.outbox:<id>`; null once the mail was sent or given up.",
        ),
        sa.Column("error", sa.Text, comment="Why the last try failed."),
        sa.Column("reference", sa.Text, comment="What the carrier calls it."),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'given_up')", name="outbox_state_check"),
        schema="email",
    )
    op.create_index(
        "outbox_dedupe",
        "outbox",
        [sa.text("coalesce(tenant_id, 0)"), "dedupe_key"],
        unique=True,
        schema="email",
        postgresql_where=sa.text("dedupe_key IS NOT NULL"),
    )
    op.create_index("outbox_due", "outbox", ["due_at"], schema="email", postgresql_where=sa.text("state = 'waiting'"))
    op.create_index("outbox_by_tenant", "outbox", ["tenant_id", "created_at", "id"], schema="email")


def downgrade() -> None:
    op.drop_table("outbox", schema="email")
