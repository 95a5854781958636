"""The events, and what storing them exactly once needs."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET, JSONB, UUID

from chatnation.core.storage.models.base import Instant, metadata

events = Table(
    "events",
    metadata,
    # Fixed width first, widest alignment first: a row holds no padding. Events name tenant and project without foreign
    # keys, because checking one per row would cost more than the rest of the insert.
    Column("timestamp", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("claimed_at", Instant, comment="The client's time, where the stored one differs from it."),
    Column("skew_ms", Integer, comment="Server's clock minus client's, in milliseconds; at most 24 days either way."),
    Column("tenant_id", Integer, nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("sequence", Integer),
    Column("client_id", Integer),
    Column(
        "name_hash",
        SmallInteger,
        Computed("event_name_hash(event_name)", persisted=True),
        nullable=False,
        comment="What the index by name holds; made by the database.",
    ),
    Column("message_id", UUID, nullable=False),
    Column("event_id", UUID, comment="Null: the same as message_id."),
    Column("anonymous_id", UUID),
    Column("session_id", UUID, comment="The client's hint; the server's sessions are elsewhere."),
    Column("person_id", UUID, comment="Leaf id of the strongest id on the event; see person_merges."),
    Column("is_bot", Boolean, nullable=False, server_default=text("false")),
    Column("journey_start", Boolean, nullable=False, server_default=text("false")),
    Column("journey_end", Boolean, nullable=False, server_default=text("false")),
    Column("event_name", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("channel_type", Text, nullable=False),
    Column("message_ref", Text, comment="The message id as sent, where it is not a UUID."),
    Column("user_id", Text),
    Column("external_id", Text),
    Column("handshake_token", Text),
    Column("page_path", Text),
    Column("page_url", Text),
    Column("page_title", Text),
    Column("referrer", Text),
    Column("country_code", Text),
    Column("city", Text),
    Column("ip_address", INET),
    Column("properties", JSONB, nullable=False, server_default=text("'{}'")),
    # Time second, so that the key also serves ranges of time and grows at its end.
    PrimaryKeyConstraint("tenant_id", "timestamp", "message_id"),
    # The name's hash, not the name: entries of one size let PostgreSQL fill the pages of names that grow side by side.
    Index("events_tenant_id_name_hash_timestamp_idx", "tenant_id", "name_hash", "timestamp"),
    Index("events_tenant_id_person_id_idx", "tenant_id", "person_id"),
    Index("events_tenant_id_session_id_idx", "tenant_id", "session_id"),
    postgresql_partition_by="RANGE (timestamp)",
)

event_keys = Table(
    "event_keys",
    metadata,
    Column("claimed_at", Instant, comment="The client's time; null where it gave none."),
    Column("timestamp", Instant, nullable=False, comment="The time under which the event is stored."),
    Column("tenant_id", Integer, nullable=False),
    Column("message_id", UUID, nullable=False),
    PrimaryKeyConstraint("tenant_id", "message_id"),
    Index(None, "timestamp"),
    comment="Message ids of events that are stored under another time than the one a retry would repeat.",
)

clients = Table(
    "clients",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("is_bot", Boolean, nullable=False, server_default=text("false")),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="16 bytes of SHA-256 of SDK and user agent."),
    Column("sdk_name", Text),
    Column("sdk_version", Text),
    Column("user_agent", Text),
    Column("device_type", Text),
    Column("os_name", Text),
    Column("os_version", Text),
    Column("browser_name", Text),
    Column("browser_version", Text),
    comment="What sends events: SDK and user agent string, with what was read from it; each pair once.",
)

processed_deliveries = Table(
    "processed_deliveries",
    metadata,
    Column("processed_at", Instant, nullable=False, server_default=func.now()),
    Column("delivery_id", UUID, primary_key=True),
    Index("processed_deliveries_processed_at_idx", "processed_at", postgresql_using="brin"),
    comment="Deliveries whose events are stored; written in the transaction that stored them.",
)

ingest_ledger = Table(
    "ingest_ledger",
    metadata,
    Column("minute", Instant, nullable=False, comment="Of the time of receipt."),
    Column("count", BigInteger, nullable=False),
    Column("tenant_id", Integer, nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=text("''")),
    Column("sample", JSONB),
    PrimaryKeyConstraint("tenant_id", "project_id", "minute", "outcome", "reason"),
    comment="What became of the events received: stored, duplicate, dead, or rejected for a reason.",
)

projection_failures = Table(
    "projection_failures",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("tenant_id", Integer, nullable=False),
    Column("plugin", Text, nullable=False),
    Column("projection", Text, nullable=False),
    Column("failed_at", Instant, nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default=text("1")),
    Column("next_attempt_at", Instant, nullable=False, server_default=func.now()),
    Column("error", Text, nullable=False),
    Column("event_keys", JSONB, nullable=False, comment="[[timestamp, message id], …] of the batch's events."),
    UniqueConstraint("tenant_id", "id"),
    Index(None, "next_attempt_at"),
    comment="Batches that a projection could not take; their events are stored, the projection is tried again.",
)
