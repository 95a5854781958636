"""Deliveries that could not be stored."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("buried_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False, comment="How many events are in the delivery."),
        sa.Column(
            "replays",
            sa.Integer(),
            server_default=sa.text("0"),
            nullable=False,
            comment="How often it was tried again.",
        ),
        sa.Column("delivery_id", sa.UUID(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("delivery", sa.LargeBinary(), nullable=False, comment="As it was in the stream: msgpack."),
        sa.PrimaryKeyConstraint("id", name=op.f("dead_letters_pkey")),
        sa.UniqueConstraint("delivery_id", "replays", name=op.f("dead_letters_delivery_id_replays_key")),
        comment="Deliveries that could not be stored.",
    )
    op.create_index(op.f("dead_letters_tenant_id_id_idx"), "dead_letters", ["tenant_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("dead_letters")
