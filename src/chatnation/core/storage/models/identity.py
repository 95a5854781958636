"""Who is who: ids, the evidence that joins them, and what follows from it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chatnation.core.storage.models.base import Instant, metadata, tenant_column

identities = Table(
    "identities",
    metadata,
    tenant_column(),
    Column("leaf_id", UUID, nullable=False, comment="Hash of tenant, kind and value."),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("kind", Text, nullable=False, comment="user, phone, anonymous or handshake."),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "leaf_id"),
    # Not unique, as the leaf id is: ON CONFLICT guards one unique index, and in a second one workers would race.
    # The beginning of an id is found in any collation.
    Index(None, "tenant_id", "kind", "value", postgresql_ops={"value": "text_pattern_ops"}),
    Index(
        "identities_pieces_idx",
        text("search_pieces(tenant_id, value)"),
        postgresql_using="gin",
        postgresql_where=text("kind IN ('user', 'phone', 'handle')"),
    ),
)

identity_links = Table(
    "identity_links",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    tenant_column(),
    Column("a", UUID, nullable=False, comment="Leaf id; the smaller of the two."),
    Column("b", UUID, nullable=False),
    Column("source", Text, nullable=False, comment="identify, login, alias, external_id or handshake."),
    Column("first_seen", Instant, nullable=False),
    Column("removed_at", Instant, comment="Split by an operator; stays out."),
    UniqueConstraint("tenant_id", "a", "b", "source"),
    Index(None, "tenant_id", "b"),
)

person_merges = Table(
    "person_merges",
    metadata,
    tenant_column(),
    Column("leaf_id", UUID, nullable=False),
    Column("person_id", UUID, nullable=False, comment="The canonical leaf; rows exist only where it is another one."),
    PrimaryKeyConstraint("tenant_id", "leaf_id"),
    Index(None, "tenant_id", "person_id"),
)

identity_log = Table(
    "identity_log",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    tenant_column(),
    Column("at", Instant, nullable=False, server_default=func.now()),
    Column("action", Text, nullable=False),
    Column("person_id", UUID, nullable=False),
    Column("leaf_ids", JSONB, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Index(None, "tenant_id", "person_id"),
    Index(None, "tenant_id", "id"),
    comment="Merges and splits, in the order in which they were decided.",
)

identity_issues = Table(
    "identity_issues",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    tenant_column(),
    Column("at", Instant, nullable=False, server_default=func.now()),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="What it is about; one open row a subject."),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    Column("resolved_at", Instant),
    UniqueConstraint("tenant_id", "kind", "subject"),
    comment="Merges that were refused, ids that look shared or meaningless.",
)

person_traits = Table(
    "person_traits",
    metadata,
    tenant_column(),
    Column("leaf_id", UUID, nullable=False),
    Column("key", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("value", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant_id", "leaf_id", "key"),
    Index(
        "person_traits_pieces_idx",
        text("search_pieces(tenant_id, value)"),
        postgresql_using="gin",
        postgresql_where=text(
            "key IN ('name', 'first_name', 'firstName', 'last_name', 'lastName', 'email', 'phone', 'pin')"
        ),
    ),
)
