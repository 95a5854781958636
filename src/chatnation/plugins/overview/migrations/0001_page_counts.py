"""Count page views by quarter hour and path."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "overview_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_counts",
        sa.Column("bucket", sa.DateTime(timezone=True), nullable=False, comment="quarter hour of the view, or UTC day"),
        sa.Column("views", sa.BigInteger, nullable=False),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column("whole_day", sa.Boolean, nullable=False, comment="true: a UTC day; each thing counts in both"),
        sa.Column("settled", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("path", sa.Text, nullable=False),
        schema="overview",
    )
    op.create_index("page_counts_by_bucket", "page_counts", ["tenant_id", "whole_day", "bucket"], schema="overview")
    op.create_index(
        "page_counts_settled_key",
        "page_counts",
        ["tenant_id", "whole_day", "bucket", sa.text("md5(path)")],
        unique=True,
        schema="overview",
        postgresql_where=sa.text("settled"),
    )
    op.create_index(
        "page_counts_unsettled",
        "page_counts",
        ["tenant_id"],
        schema="overview",
        postgresql_where=sa.text("NOT settled"),
    )
    # Events that were stored before there was anybody to count them.
    op.execute(
        """
        INSERT INTO overview.page_counts (tenant_id, whole_day, bucket, path, views)
        SELECT tenant_id, span = '1 day', date_bin(span, timestamp, 'epoch') AS bucket, page_path, count(*)
          FROM public.events, (VALUES (interval '15 minutes'), (interval '1 day')) AS spans (span)
         WHERE event_name = 'page_view' AND page_path IS NOT NULL AND NOT is_bot
         GROUP BY tenant_id, span, bucket, page_path
        """
    )


def downgrade() -> None:
    op.drop_table("page_counts", schema="overview")
