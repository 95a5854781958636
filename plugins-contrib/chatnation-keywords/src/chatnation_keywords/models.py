"""The table of the keywords plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text

metadata = MetaData(schema="keywords")

hourly_counts = Table(
    "hourly_counts",
    metadata,
    Column("tenant_id", Integer, primary_key=True, autoincrement=False),
    Column("hour", DateTime(timezone=True), primary_key=True),
    Column("keyword", Text, primary_key=True),
    Column("messages", BigInteger, nullable=False),
)
