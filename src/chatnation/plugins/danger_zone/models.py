"""The table of the danger zone, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, Integer, MetaData, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="danger_zone")

archive = Table(
    "archive",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("archived_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("restored_at", DateTime(timezone=True)),
    Column("tenant_id", Integer, nullable=False),
    Column("archived_by", Integer, comment="User; null when they are gone."),
    Column("entity", Text, nullable=False, comment="The kind of thing: role, user, ..."),
    Column("key", Text, nullable=False, comment="What named it in requests."),
    Column("name", Text, nullable=False),
    Column("archived_by_name", Text, nullable=False),
    Column("restored_by_name", Text),
    Column("snapshot", JSONB, nullable=False, comment="The thing as it was."),
    Index("archive_by_tenant", "tenant_id", "id"),
)
