"""The columnar copy of events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = postgresql.TIMESTAMP(timezone=True)

# Four times as fast to unpack as PostgreSQL's own way, where the server was built with it.
LZ4 = """
DO $$ BEGIN
    ALTER TABLE segment_columns ALTER COLUMN data SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$
"""
WHAT_IS_THERE = """
INSERT INTO segment_markers (tenant_id, source, quarter)
SELECT DISTINCT tenant_id, 'events', date_bin('15 minutes', timestamp, 'epoch') FROM events
"""


def upgrade() -> None:
    op.create_table(
        "segments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False, comment="A quarter hour after its start, or a day; both in UTC."),
        sa.Column(
            "latest", INSTANT, nullable=False, comment="The last moment of any row: of sessions, when one ended."
        ),
        sa.Column("built_at", INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="Rows."),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column(
            "left_out", postgresql.ARRAY(sa.Text()), nullable=False, comment="Columns that are too large to be copied."
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("segments_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("segments_pkey")),
        sa.UniqueConstraint("tenant_id", "source", "starts_at", name=op.f("segments_tenant_id_source_starts_at_key")),
        comment="Rows of one source in a stretch of time, put into columns.",
    )
    op.create_table(
        "segment_columns",
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segments.id"], name=op.f("segment_columns_segment_id_fkey"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("segment_columns_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("segment_id", "name", name=op.f("segment_columns_pkey")),
    )
    op.create_index(op.f("segment_columns_tenant_id_idx"), "segment_columns", ["tenant_id"], unique=False)
    op.execute(LZ4)
    op.create_table(
        "segment_markers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("quarter", INSTANT, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        comment="Quarter hours whose rows are others than the segments say; any number of times each.",
    )
    op.create_index(
        op.f("segment_markers_tenant_id_source_quarter_idx"),
        "segment_markers",
        ["tenant_id", "source", "quarter"],
        unique=False,
    )
    op.execute(WHAT_IS_THERE)
    # Answers that tell devices are kept until something changes; so does what is known of a client, now and then.
    op.execute(
        "CREATE TRIGGER raise_cache_version AFTER UPDATE ON clients"
        " FOR EACH ROW EXECUTE FUNCTION raise_cache_version('clients')"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER raise_cache_version ON clients")
    op.drop_table("segment_markers")
    op.drop_table("segment_columns")
    op.drop_table("segments")
