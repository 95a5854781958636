"""The table of the overview plugin, in the PostgreSQL schema of the same name."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, MetaData, Table, Text, text

metadata = MetaData(schema="overview")

page_counts = Table(
    "page_counts",
    metadata,
    Column("bucket", DateTime(timezone=True), nullable=False, comment="quarter hour of the view, or UTC day"),
    Column("views", BigInteger, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("whole_day", Boolean, nullable=False, comment="true: a UTC day; each thing counts in both"),
    Column("settled", Boolean, nullable=False, server_default=text("false")),
    Column("path", Text, nullable=False),
    Index("page_counts_by_bucket", "tenant_id", "whole_day", "bucket"),
    # A path may be longer than what fits into an index.
    Index(
        "page_counts_settled_key",
        "tenant_id",
        "whole_day",
        "bucket",
        text("md5(path)"),
        unique=True,
        postgresql_where=text("settled"),
    ),
    Index("page_counts_unsettled", "tenant_id", postgresql_where=text("NOT settled")),
)
"""Page views without bots. Each batch adds rows of its own; a job adds them up into one `settled` row."""
