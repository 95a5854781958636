"""The tables of the audit plugin, in the PostgreSQL schema of the same name. Triggers keep them append-only."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET, JSONB

metadata = MetaData(schema="audit")

records = Table(
    "records",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Integer, comment="Null: it concerns the instance."),
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("actor_type", Text),
    Column("actor_id", Integer),
    Column("actor_name", Text),
    Column("action", Text, nullable=False),
    Column("resource_type", Text),
    Column("resource_id", Text),
    Column("details", JSONB, nullable=False, server_default=text("'{}'")),
    Column("ip_address", INET),
    Column("user_agent", Text),
    Column("content_hash", LargeBinary, nullable=False, comment="Set by a trigger from the columns before."),
    Column("redacted_at", DateTime(timezone=True), comment="Since then it names nobody; the hash is of what it said."),
    Index("records_by_tenant", "tenant_id", "id"),
    Index("records_by_action", "tenant_id", "action", "id"),
    Index("records_by_resource", "tenant_id", "resource_type", "resource_id", "id"),
)

seals = Table(
    "seals",
    metadata,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False, comment="Place in the tenant's chain, from 1."),
    Column("tenant_id", Integer),
    Column("hash", LargeBinary, nullable=False, comment="Of the hash before, the record's id and its content hash."),
    Index("seals_chain", "tenant_id", "position", unique=True, postgresql_nulls_not_distinct=True),
)

waiting = Table(
    "waiting",
    metadata,
    Column("record_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant_id", Integer),
    comment="Records that are not sealed yet.",
)

anchors = Table(
    "anchors",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False, comment="How many records this cut removed."),
    Column("cut_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("tenant_id", Integer),
    Column("hash", LargeBinary, nullable=False),
    Index("anchors_by_tenant", "tenant_id", "position"),
    comment="Where a chain begins since retention cut off what was before.",
)
