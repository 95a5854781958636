"""The table of the funnels plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(schema="funnels")

saved = Table(
    "saved",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("tenant_id", Integer, nullable=False),
    Column("created_by", Integer, comment="User; null: a program, or somebody who is gone."),
    Column("name", Text, nullable=False),
    Column("definition", JSONB, nullable=False, comment="Steps and options, without a time."),
    Index("saved_names", "tenant_id", text("lower(name)"), unique=True),
)
"""Funnels that somebody gave a name."""
