"""Users of the dashboard, what they belong to, and their logins."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET

from chatnation.core.storage.models.base import Instant, created_column, metadata, tenant_column

users = Table(
    "users",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, comment="Null: cannot log in with a password."),
    Column("password_changed_at", Instant),
    created_column(),
    Column("last_login_at", Instant),
    Column("disabled_at", Instant),
    Index("users_email_key", func.lower(text("email")), unique=True),
)

memberships = Table(
    "memberships",
    metadata,
    tenant_column(primary_key=True),
    Column(
        "user_id",
        Integer,
        ForeignKey("users.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    created_column(),
)

login_sessions = Table(
    "login_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True, comment="SHA-256 of the token in the cookie."),
    tenant_column(),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    created_column(),
    Column("last_seen_at", Instant, nullable=False, server_default=func.now()),
    Column("expires_at", Instant, nullable=False),
    Column("ip_address", INET),
    Column("user_agent", Text),
    Index(None, "expires_at"),
)
