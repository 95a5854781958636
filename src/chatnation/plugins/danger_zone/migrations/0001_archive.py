"""What was deleted, as it was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "danger_zone_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "archive",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("restored_at", sa.DateTime(timezone=True)),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column(
            "archived_by",
            sa.Integer,
            sa.ForeignKey("public.users.id", ondelete="SET NULL"),
            comment="User; null when they are gone.",
        ),
        sa.Column("entity", sa.Text, nullable=False, comment="The kind of thing: role, user, ..."),
        sa.Column("key", sa.Text, nullable=False, comment="What named it in requests."),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("archived_by_name", sa.Text, nullable=False),
        sa.Column("restored_by_name", sa.Text),
        sa.Column("snapshot", JSONB, nullable=False, comment="The thing as it was."),
        schema="danger_zone",
    )
    op.create_index("archive_by_tenant", "archive", ["tenant_id", "id"], schema="danger_zone")


def downgrade() -> None:
    op.drop_table("archive", schema="danger_zone")
