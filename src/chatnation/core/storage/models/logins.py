"""Logins: open ones, those that are not finished, and what people show besides a password."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, UUID

from chatnation.core.storage.models.base import Instant, created_column, metadata, tenant_column


def _user_column(*, index: bool = False) -> Column[int]:
    return Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=index)


login_sessions = Table(
    "login_sessions",
    metadata,
    Column("id", UUID, primary_key=True, server_default=text("gen_random_uuid()")),
    Column(
        "token_hash",
        LargeBinary,
        nullable=False,
        unique=True,
        comment="SHA-256 of the token in the cookie, or of a program's refresh token.",
    ),
    tenant_column(),
    _user_column(index=True),
    Column("program", Boolean, nullable=False, server_default=text("false"), comment="Opened for a program's tokens."),
    Column("proof", Text, nullable=False, server_default=text("'password'")),
    Column("second_factor", Text, comment="The second factor that was shown; null: none."),
    created_column(),
    Column(
        "confirmed_at",
        Instant,
        nullable=False,
        server_default=func.now(),
        comment="When the user last showed who they are; what is dangerous asks again after a while.",
    ),
    Column("last_seen_at", Instant, nullable=False, server_default=func.now()),
    Column("expires_at", Instant, nullable=False),
    Column("ip_address", INET),
    Column("user_agent", Text),
    Index(None, "expires_at"),
    Index(None, "tenant_id"),
)

spent_refresh_tokens = Table(
    "spent_refresh_tokens",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("login_id", UUID, ForeignKey("login_sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("spent_at", Instant, nullable=False, server_default=func.now()),
    comment="Refresh tokens that were exchanged; one that comes back was stolen, and ends its login.",
)

login_challenges = Table(
    "login_challenges",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the token that answers it."),
    tenant_column(),
    _user_column(index=True),
    Column("purpose", Text, nullable=False, comment="The pending step; what it opens is nothing else."),
    Column("proof", Text, nullable=False),
    Column("program", Boolean, nullable=False, server_default=text("false")),
    Column("second_factor", Text, comment="The second factor that was shown so far; `device` for a remembered one."),
    Column("taken_over", Boolean, nullable=False, server_default=text("false")),
    Column("factor", Text, comment="The factor that the code below went through."),
    Column("code_hash", LargeBinary, comment="HMAC of the code that was sent."),
    Column("link_hash", LargeBinary, unique=True, comment="SHA-256 of the token in a mailed link."),
    Column("sealed", Text, comment="What is being set up: a secret, or the address that the code went to."),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("sent_at", Instant),
    created_column(),
    Column("expires_at", Instant, nullable=False),
    Column("return_to", Text, nullable=False, server_default=text("'/'")),
    Index(None, "expires_at"),
    comment="Steps that stand between a right password and an open login, or before a new second factor.",
)

second_factors = Table(
    "second_factors",
    metadata,
    _user_column(),
    Column("factor", Text, nullable=False),
    Column("sealed", Text, comment="Secret or address; null where the factor needs none."),
    Column("last_counter", BigInteger, comment="The newest time step whose code was used, so that none is used twice."),
    created_column(),
    Column("last_used_at", Instant),
    PrimaryKeyConstraint("user_id", "factor"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    _user_column(),
    Column("code_hash", LargeBinary, nullable=False),
    Column("used_at", Instant),
    PrimaryKeyConstraint("user_id", "code_hash"),
)

remembered_devices = Table(
    "remembered_devices",
    metadata,
    Column("id", UUID, primary_key=True, server_default=text("gen_random_uuid()")),
    _user_column(),
    Column("token_hash", LargeBinary, nullable=False),
    created_column(),
    Column("last_used_at", Instant, nullable=False, server_default=func.now()),
    Column("expires_at", Instant, nullable=False),
    Column("ip_address", INET),
    Column("user_agent", Text),
    UniqueConstraint("user_id", "token_hash"),
    comment="Browsers on which a user need not show the second factor.",
)

personal_tokens = Table(
    "personal_tokens",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    tenant_column(),
    _user_column(index=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False, comment="The first characters of the token, to recognise it by."),
    Column("hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token."),
    Column("scopes", ARRAY(Text), nullable=False),
    created_column(),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    CheckConstraint("cardinality(scopes) > 0", name="scopes"),
    comment="Tokens of users for programs; they open what both the scopes and the user's permissions allow.",
)
