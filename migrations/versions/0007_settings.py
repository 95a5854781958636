"""Who made a key; secrets among the settings of plugins."""

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
    op.add_column(
        "plugin_tenant_settings",
        sa.Column("sealed_values", sa.Text(), nullable=True, comment="The secrets among them: a JSON object, sealed."),
    )


def downgrade() -> None:
    op.drop_column("plugin_tenant_settings", "sealed_values")
    op.drop_constraint(op.f("api_keys_created_by_fkey"), "api_keys", type_="foreignkey")
    op.drop_column("api_keys", "created_by")
