"""Invitations, roles of tenants, and passwords."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INSTANT = postgresql.TIMESTAMP(timezone=True)
_ACCESS = {
    "memberships": "tenant_id, user_id, role, role_id, active",
    "roles": "name, permissions, overrides",
    "users": "name, email, disabled_at",
    "tenants": "slug, name, timezone, settings, active",
}
"""What decides who may do what: a change raises the version of the cache `access`."""


def upgrade() -> None:
    op.add_column(
        "tenants",
        sa.Column(
            "active", sa.Boolean(), server_default=sa.text("true"), nullable=False, comment="Otherwise nobody gets in."
        ),
    )
    op.add_column(
        "users",
        sa.Column(
            "email_verified_at",
            _INSTANT,
            nullable=True,
            comment="When a link that was mailed to the address was used.",
        ),
    )
    op.create_table(
        "roles",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("permissions", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "overrides",
            sa.Text(),
            nullable=True,
            comment="The system role that the tenant changed by this one; null: a role of its own.",
        ),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("roles_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("roles_pkey")),
        sa.UniqueConstraint("tenant_id", "id", name=op.f("roles_tenant_id_id_key")),
        sa.UniqueConstraint("tenant_id", "overrides", name=op.f("roles_tenant_id_overrides_key")),
        comment="Roles that a tenant made or changed; the others are in the code.",
    )
    op.create_index("roles_tenant_id_name_key", "roles", ["tenant_id", sa.literal_column("lower(name)")], unique=True)
    op.alter_column(
        "memberships",
        "role",
        comment="A system role; with role_id, what is left when that one is deleted.",
        existing_type=sa.Text(),
        existing_nullable=False,
    )
    op.add_column(
        "memberships",
        sa.Column(
            "role_id", sa.Integer(), nullable=True, comment="A role of the tenant's own, instead of the system role."
        ),
    )
    op.add_column("memberships", sa.Column("invited_by", sa.Integer(), nullable=True))
    op.create_foreign_key(
        op.f("memberships_invited_by_fkey"), "memberships", "users", ["invited_by"], ["id"], ondelete="SET NULL"
    )
    op.create_foreign_key(
        op.f("memberships_tenant_id_role_id_fkey"),
        "memberships",
        "roles",
        ["tenant_id", "role_id"],
        ["tenant_id", "id"],
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Integer(), nullable=True, comment="As in memberships."),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the link."),
        sa.Column("invited_by", sa.Integer(), nullable=True),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("accepted_at", _INSTANT, nullable=True),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("invitations_tenant_id_fkey")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"], name=op.f("invitations_tenant_id_role_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("invitations_invited_by_fkey"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invitations_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("invitations_token_hash_key")),
    )
    op.create_index(
        "invitations_tenant_id_email_key",
        "invitations",
        ["tenant_id", sa.literal_column("lower(email)")],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "password_resets",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token in the link."),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("password_resets_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("password_resets_pkey")),
        sa.UniqueConstraint("token_hash", name=op.f("password_resets_token_hash_key")),
        comment="Links to set a new password; one a user.",
    )
    op.create_table(
        "old_passwords",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("replaced_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("old_passwords_user_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("old_passwords_pkey")),
        comment="Passwords that may not be used again yet.",
    )
    op.create_index(op.f("old_passwords_user_id_idx"), "old_passwords", ["user_id"], unique=False)
    for table, columns in _ACCESS.items():
        op.execute(
            f"CREATE TRIGGER raise_access_version AFTER INSERT OR DELETE OR UPDATE OF {columns} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION raise_cache_version('access')"
        )


def downgrade() -> None:
    for table in _ACCESS:
        op.execute(f"DROP TRIGGER raise_access_version ON {table}")
    op.drop_table("old_passwords")
    op.drop_table("password_resets")
    op.drop_table("invitations")
    op.drop_column("memberships", "invited_by")
    op.drop_column("memberships", "role_id")
    op.alter_column("memberships", "role", comment=None, existing_type=sa.Text(), existing_nullable=False)
    op.drop_table("roles")
    op.drop_column("users", "email_verified_at")
    op.drop_column("tenants", "active")
