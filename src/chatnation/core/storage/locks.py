"""Advisory locks of a tenant, held until the transaction ends. Take `storing` before `identity`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncpg

_STORING = 0x636E_0010
_IDENTITY = 0x636E_0011


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
