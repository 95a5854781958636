"""Funnels that are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "funnels_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "saved",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column(
            "created_by",
            sa.Integer,
            sa.ForeignKey("public.users.id", ondelete="SET NULL"),
            comment="User; null: a program, or somebody who is gone.",
        ),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("definition", JSONB, nullable=False, comment="Steps and options, without a time."),
        schema="funnels",
    )
    op.create_index("saved_names", "saved", ["tenant_id", sa.text("lower(name)")], unique=True, schema="funnels")


def downgrade() -> None:
    op.drop_table("saved", schema="funnels")
