"""Single sign-on: the issuer of a tenant, and who was linked to which identity there."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chatnation.core.storage.models.base import Instant, created_column, metadata, tenant_column

sso_providers = Table(
    "sso_providers",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    tenant_column(),
    Column("label", Text, nullable=False, comment="On the button."),
    Column("issuer", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("sealed_secret", Text, comment="Sealed for `sso_providers:<id>`; null: a public client."),
    Column("domains", ARRAY(Text), nullable=False, comment="Of e-mail addresses that this issuer speaks for."),
    Column("enabled", Boolean, nullable=False, server_default=text("true")),
    Column("enforced", Boolean, nullable=False, server_default=text("false"), comment="No other way in."),
    Column("makes_members", Boolean, nullable=False, server_default=text("false")),
    Column("role", Text, nullable=False, comment="Of members that it makes, where no claim says otherwise."),
    Column("role_claim", Text, comment="Claim that says the role, with dots for what is inside."),
    Column("role_map", JSONB, nullable=False, server_default=text("'{}'"), comment="Roles by value of that claim."),
    Column("vouches", Boolean, nullable=False, server_default=text("false"), comment="For the second factor."),
    created_column(),
    UniqueConstraint("tenant_id"),
)

sso_identities = Table(
    "sso_identities",
    metadata,
    tenant_column(),
    Column("provider_id", Integer, ForeignKey("sso_providers.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("subject", Text, nullable=False, comment="What the issuer calls the user."),
    Column("linked_at", Instant, nullable=False, server_default=func.now()),
    Column("last_used_at", Instant),
    PrimaryKeyConstraint("provider_id", "subject"),
    Index(None, "user_id"),
    Index(None, "tenant_id"),
)
