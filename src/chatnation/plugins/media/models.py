"""The tables of the media plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)

metadata = MetaData(schema="media")

files = Table(
    "files",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True), comment="When it is deleted by itself; null: never."),
    Column("last_opened_at", DateTime(timezone=True)),
    Column("size", BigInteger, nullable=False, comment="In bytes."),
    Column("times_opened", BigInteger, nullable=False, server_default=text("0")),
    Column("tenant_id", Integer, nullable=False),
    Column("uploaded_by", Integer, comment="User; null: a program, a plugin, or somebody who is gone."),
    Column("listed", Boolean, nullable=False, server_default=text("true"), comment="Otherwise only a plugin's."),
    Column("filename", Text, nullable=False, comment="What whoever uploaded it called it; never a path."),
    Column("content_type", Text, nullable=False, comment="From the content, not from what was claimed."),
    Column("purpose", Text, nullable=False, server_default=text("''"), comment="What it is used for."),
    Column("store", Text, nullable=False, comment="Name of the store that has it."),
    Column("key", Text, nullable=False, comment="Its random name in the store, below the tenant's folder."),
    Column("content_hash", LargeBinary, nullable=False, comment="SHA-256."),
    Index("files_by_tenant", "tenant_id", "created_at", "id"),
    Index("files_expiring", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
)

doomed = Table(
    "doomed",
    metadata,
    Column("store", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("doomed_due", "due_at"),
    comment="What a store still has and no row of `files` names; a trigger adds what is deleted from there.",
)
