"""What tenants switched on and set, and what was erased."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Integer, PrimaryKeyConstraint, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chatnation.core.storage.models.base import Instant, metadata, tenant_column

plugin_switches = Table(
    "plugin_switches",
    metadata,
    tenant_column(),
    Column("plugin", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    PrimaryKeyConstraint("tenant_id", "plugin"),
    comment="Plugins that a tenant switched; without a row a plugin is on.",
)

plugin_tenant_settings = Table(
    "plugin_tenant_settings",
    metadata,
    tenant_column(),
    Column("plugin", Text, nullable=False),
    Column("values", JSONB, nullable=False, server_default=text("'{}'")),
    Column("sealed_values", Text, comment="The secrets among them: a JSON object, sealed."),
    PrimaryKeyConstraint("tenant_id", "plugin"),
)

suppressions = Table(
    "suppressions",
    metadata,
    tenant_column(),
    Column("leaf_id", UUID, nullable=False, comment="A hash of the id, so that the list names nobody."),
    Column("created_at", Instant, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("tenant_id", "leaf_id"),
    comment="Ids of erased persons; their events are not stored again.",
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # No foreign key: the receipt outlives the tenant.
    Column("tenant_id", Integer, nullable=False),
    Column("tenant_slug", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="person or tenant."),
    Column("person_id", UUID),
    Column("erased_at", Instant, nullable=False, server_default=func.now()),
    Column("erased_by", Text, nullable=False),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'"), comment="Rows deleted, by kind."),
    comment="Receipts: what was erased, when and by whom, and how much of it; never what it said.",
)
