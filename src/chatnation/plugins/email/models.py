"""The table of the email plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, Uuid, func, text

metadata = MetaData(schema="email")

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("due_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("ended_at", DateTime(timezone=True), comment="When it was sent or given up."),
    Column("tenant_id", Integer, comment="In whose name it goes; null: in the product's."),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("state", Text, nullable=False, server_default=text("'waiting'"), comment="waiting, sent or given_up."),
    Column("template", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("reply_to", Text),
    Column("dedupe_key", Text),
    Column("sealed_values", Text, comment="Sealed for `email.outbox:<id>`; null once the mail was sent or given up."),
    Column("error", Text, comment="Why the last try failed."),
    Column("reference", Text, comment="What the carrier calls it."),
    Index(
        "outbox_dedupe",
        text("coalesce(tenant_id, 0)"),
        "dedupe_key",
        unique=True,
        postgresql_where=text("dedupe_key IS NOT NULL"),
    ),
    Index("outbox_due", "due_at", postgresql_where=text("state = 'waiting'")),
    Index("outbox_by_tenant", "tenant_id", "created_at", "id"),
)
