"""How people come in, what a tenant lets them do, and the passwords they had."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from chatnation.core.storage.models.base import Instant, created_column, metadata, tenant_column

roles = Table(
    "roles",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("permissions", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("overrides", Text, comment="The system role that the tenant changed by this one; null: a role of its own."),
    created_column(),
    UniqueConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "overrides"),
    Index("roles_tenant_id_name_key", "tenant_id", func.lower(text("name")), unique=True),
    comment="Roles that a tenant made or changed; the others are in the code.",
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    tenant_column(),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("role_id", Integer, comment="As in memberships."),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token in the link."),
    Column("invited_by", Integer, ForeignKey("users.id", ondelete="SET NULL")),
    created_column(),
    Column("sent_at", Instant, nullable=False, server_default=func.now()),
    Column("expires_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    Column("revoked_at", Instant),
    ForeignKeyConstraint(["tenant_id", "role_id"], ["roles.tenant_id", "roles.id"]),
    Index(
        "invitations_tenant_id_email_key",
        "tenant_id",
        func.lower(text("email")),
        unique=True,
        postgresql_where=text("accepted_at IS NULL AND revoked_at IS NULL"),
    ),
)

password_resets = Table(
    "password_resets",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the token in the link."),
    created_column(),
    Column("expires_at", Instant, nullable=False),
    comment="Links to set a new password; one a user.",
)

old_passwords = Table(
    "old_passwords",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("password_hash", Text, nullable=False),
    Column("replaced_at", Instant, nullable=False, server_default=func.now()),
    comment="Passwords that may not be used again yet.",
)
