"""Single sign-on."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sso_providers",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("label", sa.Text(), nullable=False, comment="On the button."),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column(
            "sealed_secret", sa.Text(), nullable=True, comment="Sealed for `sso_providers:<id>`; null: a public client."
        ),
        sa.Column(
            "domains",
            postgresql.ARRAY(sa.Text()),
            nullable=False,
            comment="Of e-mail addresses that this issuer speaks for.",
        ),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "enforced", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="No other way in."
        ),
        sa.Column("makes_members", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "role", sa.Text(), nullable=False, comment="Of members that it makes, where no claim says otherwise."
        ),
        sa.Column(
            "role_claim", sa.Text(), nullable=True, comment="Claim that says the role, with dots for what is inside."
        ),
        sa.Column(
            "role_map",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="Roles by value of that claim.",
        ),
        sa.Column(
            "vouches", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="For the second factor."
        ),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("sso_providers_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("sso_providers_pkey")),
        sa.UniqueConstraint("tenant_id", name=op.f("sso_providers_tenant_id_key")),
    )
    op.create_table(
        "sso_identities",
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="What the issuer calls the user."),
        sa.Column("linked_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["provider_id"],
            ["sso_providers.id"],
            name=op.f("sso_identities_provider_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("sso_identities_tenant_id_fkey")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("sso_identities_user_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider_id", "subject", name=op.f("sso_identities_pkey")),
    )
    op.create_index(op.f("sso_identities_user_id_idx"), "sso_identities", ["user_id"], unique=False)
    op.create_index(op.f("sso_identities_tenant_id_idx"), "sso_identities", ["tenant_id"], unique=False)


def downgrade() -> None:
    op.drop_table("sso_identities")
    op.drop_table("sso_providers")
