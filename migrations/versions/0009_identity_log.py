"""The newest entry of a tenant's merge log, which every answer is kept by."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("identity_log_tenant_id_id_idx"), "identity_log", ["tenant_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("identity_log_tenant_id_id_idx"), table_name="identity_log")
