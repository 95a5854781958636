"""The columnar copy of events and of what is made of them; `core/query/segments` writes and reads it."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from chatnation.core.storage.models.base import Instant, metadata, tenant_column

segments = Table(
    "segments",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, comment="A quarter hour after its start, or a day; both in UTC."),
    Column("latest", Instant, nullable=False, comment="The last moment of any row: of sessions, when one ended."),
    Column("built_at", Instant, nullable=False, server_default=func.now()),
    tenant_column(),
    Column("size", Integer, nullable=False, comment="Rows."),
    Column("source", Text, nullable=False),
    Column("left_out", ARRAY(Text), nullable=False, comment="Columns that are too large to be copied."),
    Column(
        "format",
        Integer,
        nullable=False,
        server_default=text("1"),
        comment="How it is written. One of another format than a release's own counts as never built.",
    ),
    # Segments of a tenant and source never overlap.
    UniqueConstraint("tenant_id", "source", "starts_at"),
    comment="Rows of one source in a stretch of time, put into columns.",
)

segment_columns = Table(
    "segment_columns",
    metadata,
    Column("segment_id", BigInteger, ForeignKey("segments.id", ondelete="CASCADE"), nullable=False),
    tenant_column(),
    Column("name", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("segment_id", "name"),
    Index(None, "tenant_id"),
)

segment_markers = Table(
    "segment_markers",
    metadata,
    # Nothing is unique here, and nothing refers to another table, so that writers never wait.
    Column("id", BigInteger, Identity(), nullable=False),
    Column("quarter", Instant, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Index(None, "tenant_id", "source", "quarter"),
    comment="Quarter hours whose rows are others than the segments say; any number of times each.",
)
