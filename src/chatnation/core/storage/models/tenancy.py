"""Tenants, their projects, and what opens a project: keys."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chatnation.core.storage.models.base import Instant, created_column, metadata, tenant_column

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    Column("active", Boolean, nullable=False, server_default=text("true"), comment="Otherwise nobody gets in."),
    created_column(),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    tenant_column(),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column(
        "allowed_origins",
        ARRAY(Text),
        nullable=False,
        server_default=text("'{*}'"),
        comment="Exact origins, https://*.example.org for every subdomain, or * for all.",
    ),
    Column("ip_mode", Text, nullable=False, server_default=text("'mask'")),
    Column(
        "masking",
        JSONB,
        nullable=False,
        server_default=text("'{}'"),
        comment="What happens to a property on intake, by its name: drop, mask or hash.",
    ),
    Column("settings", JSONB, nullable=False, server_default=text("'{}'")),
    created_column(),
    UniqueConstraint("tenant_id", "slug"),
    UniqueConstraint("tenant_id", "id"),
    CheckConstraint("ip_mode IN ('off', 'mask', 'drop_after_geo', 'never')", name="ip_mode"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    tenant_column(),
    Column("project_id", Integer),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("prefix", Text, nullable=False, comment="The first characters of the key, to recognise it by."),
    Column("hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the key."),
    Column("allowed_origins", ARRAY(Text), comment="Instead of the project's; null: the project's."),
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    created_column(),
    Column(
        "created_by",
        Integer,
        ForeignKey("users.id", ondelete="SET NULL"),
        comment="Null: an operator, or somebody who is gone.",
    ),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
    CheckConstraint("type IN ('write', 'read', 'server', 'handover')", name="type"),
    CheckConstraint("project_id IS NOT NULL OR type IN ('read', 'handover')", name="project_id"),
)

cache_versions = Table(
    "cache_versions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    comment="Raised in the transaction that changes what processes keep in memory, so that they notice.",
)
