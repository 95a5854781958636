"""Advisory locks of a tenant, held until the transaction ends. Take `segments` first, `identity` last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncpg

_STORING = 0x636E_0010
_IDENTITY = 0x636E_0011
_SEGMENTS = 0x636E_0012


async def lock_storing(connection: asyncpg.Connection[Any], tenant_id: int, *, alone: bool) -> None:
    """Every transaction that stores events holds this lock, usually together with others.

    With `alone` it waits until it is the only one: to look for copies of events under another time, and to erase what
    nobody may add to meanwhile.
    """
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    await connection.execute(f"SELECT {lock}($1, $2)", _STORING, tenant_id)


async def lock_identity(connection: asyncpg.Connection[Any], tenant_id: int) -> None:
    """Whoever changes who is who holds this lock alone."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _IDENTITY, tenant_id)


async def lock_segments(connection: asyncpg.Connection[Any], tenant_id: int) -> None:
    """Whoever builds the tenant's segments, or deletes some because of what is in them, holds this lock alone."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, $2)", _SEGMENTS, tenant_id)


async def try_lock_segments(connection: asyncpg.Connection[Any], tenant_id: int) -> bool:
    """Take that lock if nobody has it; gives whether it is taken."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1, $2)", _SEGMENTS, tenant_id))
