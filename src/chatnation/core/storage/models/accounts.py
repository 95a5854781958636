"""Users of the dashboard, and what they belong to."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)

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
    Column("email_verified_at", Instant, comment="When a link that was mailed to the address was used."),
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
    Column("role", Text, nullable=False, comment="A system role; with role_id, what is left when that one is deleted."),
    Column("role_id", Integer, comment="A role of the tenant's own, instead of the system role."),
    Column("active", Boolean, nullable=False, server_default=text("true")),
    Column("invited_by", Integer, ForeignKey("users.id", ondelete="SET NULL")),
    created_column(),
    ForeignKeyConstraint(["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"]),
)
