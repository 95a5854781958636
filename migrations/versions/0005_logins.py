"""Login sessions, second factors and tokens."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WATCHED = {
    "login_sessions": "DELETE OR UPDATE OF tenant_id, second_factor, confirmed_at, expires_at",
    "second_factors": "INSERT OR DELETE",
    "personal_tokens": "DELETE OR UPDATE OF scopes, expires_at, revoked_at",
}
"""What processes remember of open logins; a change of it is noticed within half a second."""


def _instant(name: str, *, now: bool = False, nullable: bool = False) -> "sa.Column[object]":
    default = sa.text("now()") if now else None
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), server_default=default, nullable=nullable)


def _tenant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f(f"{table}_tenant_id_fkey"))


def _user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"{table}_user_id_fkey"), ondelete="CASCADE")


def upgrade() -> None:
    # Whoever is signed in stays so: rows of before get an id and are taken for browsers that came by password.
    op.drop_constraint("login_sessions_pkey", "login_sessions", type_="primary")
    op.add_column(
        "login_sessions", sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False)
    )
    op.create_primary_key("login_sessions_pkey", "login_sessions", ["id"])
    op.create_unique_constraint("login_sessions_token_hash_key", "login_sessions", ["token_hash"])
    op.alter_column(
        "login_sessions",
        "token_hash",
        comment="SHA-256 of the token in the cookie, or of a program's refresh token.",
        existing_comment="SHA-256 of the token in the cookie.",
        existing_type=sa.LargeBinary(),
        existing_nullable=False,
    )
    op.add_column(
        "login_sessions",
        sa.Column(
            "program",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Opened for a program's tokens.",
        ),
    )
    op.add_column("login_sessions", sa.Column("proof", sa.Text(), server_default=sa.text("'password'"), nullable=False))
    op.add_column(
        "login_sessions",
        sa.Column("second_factor", sa.Text(), nullable=True, comment="The second factor that was shown; null: none."),
    )
    op.add_column(
        "login_sessions",
        sa.Column(
            "confirmed_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When the user last showed who they are; what is dangerous asks again after a while.",
        ),
    )
    op.execute("UPDATE login_sessions SET confirmed_at = created_at")
    op.create_index(op.f("login_sessions_tenant_id_idx"), "login_sessions", ["tenant_id"])
    op.create_table(
        "spent_refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("login_id", sa.UUID(), nullable=False),
        _instant("spent_at", now=True),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("spent_refresh_tokens_pkey")),
        sa.ForeignKeyConstraint(
            ["login_id"],
            ["login_sessions.id"],
            name=op.f("spent_refresh_tokens_login_id_fkey"),
            ondelete="CASCADE",
        ),
        comment="Refresh tokens that were exchanged; one that comes back was stolen, and ends its login.",
    )
    op.create_index(op.f("spent_refresh_tokens_login_id_idx"), "spent_refresh_tokens", ["login_id"])
    op.create_table(
        "login_challenges",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token that answers it."),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False, comment="The pending step; what it opens is nothing else."),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("program", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "second_factor",
            sa.Text(),
            nullable=True,
            comment="The second factor that was shown so far; `device` for a remembered one.",
        ),
        sa.Column("taken_over", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("factor", sa.Text(), nullable=True, comment="The factor that the code below went through."),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True, comment="HMAC of the code that was sent."),
        sa.Column("link_hash", sa.LargeBinary(), nullable=True, comment="SHA-256 of the token in a mailed link."),
        sa.Column(
            "sealed",
            sa.Text(),
            nullable=True,
            comment="What is being set up: a secret, or the address that the code went to.",
        ),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _instant("sent_at", nullable=True),
        _instant("created_at", now=True),
        _instant("expires_at"),
        sa.Column("return_to", sa.Text(), server_default=sa.text("'/'"), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("login_challenges_pkey")),
        sa.UniqueConstraint("link_hash", name=op.f("login_challenges_link_hash_key")),
        _tenant("login_challenges"),
        _user("login_challenges"),
        comment="Steps that stand between a right password and an open login, or before a new second factor.",
    )
    op.create_index(op.f("login_challenges_user_id_idx"), "login_challenges", ["user_id"])
    op.create_index(op.f("login_challenges_expires_at_idx"), "login_challenges", ["expires_at"])
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True, comment="Secret or address; null where the factor needs none."),
        sa.Column(
            "last_counter",
            sa.BigInteger(),
            nullable=True,
            comment="The newest time step whose code was used, so that none is used twice.",
        ),
        _instant("created_at", now=True),
        _instant("last_used_at", nullable=True),
        sa.PrimaryKeyConstraint("user_id", "factor", name=op.f("second_factors_pkey")),
        _user("second_factors"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _instant("used_at", nullable=True),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("recovery_codes_pkey")),
        _user("recovery_codes"),
    )
    op.create_table(
        "remembered_devices",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        _instant("created_at", now=True),
        _instant("last_used_at", now=True),
        _instant("expires_at"),
        sa.Column("ip_address", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("remembered_devices_pkey")),
        sa.UniqueConstraint("user_id", "token_hash", name=op.f("remembered_devices_user_id_token_hash_key")),
        _user("remembered_devices"),
        comment="Browsers on which a user need not show the second factor.",
    )
    op.create_table(
        "personal_tokens",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "prefix", sa.Text(), nullable=False, comment="The first characters of the token, to recognise it by."
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the token."),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        _instant("created_at", now=True),
        _instant("expires_at", nullable=True),
        _instant("last_used_at", nullable=True),
        _instant("revoked_at", nullable=True),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("personal_tokens_scopes_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("personal_tokens_pkey")),
        sa.UniqueConstraint("hash", name=op.f("personal_tokens_hash_key")),
        _tenant("personal_tokens"),
        _user("personal_tokens"),
        comment="Tokens of users for programs; they open what both the scopes and the user's permissions allow.",
    )
    op.create_index(op.f("personal_tokens_user_id_idx"), "personal_tokens", ["user_id"])
    for table, changes in _WATCHED.items():
        op.execute(
            f"CREATE TRIGGER raise_logins_version AFTER {changes} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION raise_cache_version('logins')"
        )


def downgrade() -> None:
    for table in _WATCHED:
        op.execute(f"DROP TRIGGER raise_logins_version ON {table}")
    for table in (
        "personal_tokens",
        "remembered_devices",
        "recovery_codes",
        "second_factors",
        "login_challenges",
        "spent_refresh_tokens",
    ):
        op.drop_table(table)
    op.drop_index(op.f("login_sessions_tenant_id_idx"), table_name="login_sessions")
    op.drop_constraint("login_sessions_token_hash_key", "login_sessions", type_="unique")
    op.drop_constraint("login_sessions_pkey", "login_sessions", type_="primary")
    for column in ("confirmed_at", "second_factor", "proof", "program", "id"):
        op.drop_column("login_sessions", column)
    op.create_primary_key("login_sessions_pkey", "login_sessions", ["token_hash"])
