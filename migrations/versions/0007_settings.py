"""Who made a key."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "api_keys",
        sa.Column("created_by", sa.Integer(), nullable=True, comment="Null: an operator, or somebody who is gone."),
    )
    op.create_foreign_key(
        op.f("api_keys_created_by_fkey"), "api_keys", "users", ["created_by"], ["id"], ondelete="SET NULL"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("api_keys_created_by_fkey"), "api_keys", type_="foreignkey")
    op.drop_column("api_keys", "created_by")
