"""What could not be stored, kept until an operator has decided."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import UUID

from chatnation.core.storage.models.base import Instant, metadata

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("received_at", Instant, nullable=False),
    Column("buried_at", Instant, nullable=False, server_default=func.now()),
    Column("tenant_id", Integer, nullable=False),
    Column("project_id", Integer, nullable=False),
    Column("events", Integer, nullable=False, comment="How many events are in the delivery."),
    Column("replays", Integer, nullable=False, server_default=text("0"), comment="How often it was tried again."),
    Column("delivery_id", UUID, nullable=False),
    Column("reason", Text, nullable=False),
    Column("delivery", LargeBinary, nullable=False, comment="As it was in the stream: msgpack."),
    UniqueConstraint("delivery_id", "replays"),
    Index(None, "tenant_id", "id"),
    comment="Deliveries that could not be stored.",
)
