"""In which format a segment is written."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# A release without formats takes every segment for one of the first: others go, and their quarters are built anew.
WITHOUT_OTHERS = """
WITH gone AS (
    DELETE FROM segments WHERE format <> 1 RETURNING tenant_id, source, starts_at, ends_at
)
INSERT INTO segment_markers (tenant_id, source, quarter)
SELECT tenant_id, source, quarter
  FROM gone, generate_series(starts_at, ends_at - interval '15 minutes', interval '15 minutes') AS quarter
"""


def upgrade() -> None:
    op.add_column(
        "segments",
        sa.Column(
            "format",
            sa.Integer(),
            # What writes none is a release from before there were any.
            server_default=sa.text("1"),
            nullable=False,
            comment="How it is written. One of another format than a release's own counts as never built.",
        ),
    )


def downgrade() -> None:
    op.execute(WITHOUT_OTHERS)
    op.drop_column("segments", "format")
