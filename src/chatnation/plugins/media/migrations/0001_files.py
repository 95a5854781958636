"""Files, and what is to be removed from stores."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "media_0001"
down_revision = None
branch_labels = None
depends_on = None

# Whoever deletes rows, by whatever way (a request, retention, the erasure of a tenant while this plugin is off), the
# files follow, because this is part of the same transaction. Rows of tenants are deleted by a role that may not write
# here, hence the definer's rights.
DOOM = """
CREATE FUNCTION media.doom() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO media.doomed (store, key) SELECT store, key FROM gone ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("expires_at", sa.DateTime(timezone=True), comment="When it is deleted by itself; null: never."),
        sa.Column("last_opened_at", sa.DateTime(timezone=True)),
        sa.Column("size", sa.BigInteger, nullable=False, comment="In bytes."),
        sa.Column("times_opened", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("tenant_id", sa.Integer, sa.ForeignKey("public.tenants.id"), nullable=False),
        sa.Column(
            "uploaded_by",
            sa.Integer,
            sa.ForeignKey("public.users.id", ondelete="SET NULL"),
            comment="User; null: a program, a plugin, or somebody who is gone.",
        ),
        sa.Column(
            "listed", sa.Boolean, nullable=False, server_default=sa.text("true"), comment="Otherwise only a plugin's."
        ),
        sa.Column("filename", sa.Text, nullable=False, comment="What whoever uploaded it called it; never a path."),
        sa.Column("content_type", sa.Text, nullable=False, comment="From the content, not from what was claimed."),
        sa.Column("purpose", sa.Text, nullable=False, server_default=sa.text("''"), comment="What it is used for."),
        sa.Column("store", sa.Text, nullable=False, comment="Name of the store that has it."),
        sa.Column("key", sa.Text, nullable=False, comment="Its random name in the store, below the tenant's folder."),
        sa.Column("content_hash", sa.LargeBinary, nullable=False, comment="SHA-256."),
        schema="media",
    )
    op.create_index("files_by_tenant", "files", ["tenant_id", "created_at", "id"], schema="media")
    op.create_index(
        "files_expiring", "files", ["expires_at"], schema="media", postgresql_where=sa.text("expires_at IS NOT NULL")
    )
    op.create_table(
        "doomed",
        sa.Column("store", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema="media",
        comment="What a store still has and no row of `files` names; a trigger adds what is deleted from there.",
    )
    op.create_index("doomed_due", "doomed", ["due_at"], schema="media")
    op.execute("ALTER TABLE media.doomed ENABLE ROW LEVEL SECURITY")  # And no policy: no tenant reads it.
    op.execute(DOOM)
    op.execute(
        "CREATE TRIGGER doom AFTER DELETE ON media.files REFERENCING OLD TABLE AS gone"
        " FOR EACH STATEMENT EXECUTE FUNCTION media.doom()"
    )


def downgrade() -> None:
    op.drop_table("files", schema="media")
    op.execute("DROP FUNCTION media.doom()")
    op.drop_table("doomed", schema="media")
