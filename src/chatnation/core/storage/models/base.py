"""The one MetaData of the core, and column kinds that its tables share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, MetaData, func
from sqlalchemy.dialects.postgresql import TIMESTAMP

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

Instant = TIMESTAMP(timezone=True)
"""A point in time, to the microsecond."""


def tenant_column(*, primary_key: bool = False) -> Column[int]:
    """Whose row it is. The foreign key is the last defence against rows of a tenant that was erased meanwhile."""
    return Column(
        "tenant_id", Integer, ForeignKey("tenants.id"), primary_key=primary_key, autoincrement=False, nullable=False
    )


def created_column() -> Column[datetime]:
    return Column("created_at", Instant, nullable=False, server_default=func.now())
