"""Seals records, some time after they were written, so that writers never wait for each other."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Storage
from chatnation.plugins.audit.chain import Head

_AT_ONCE = 2_000
_LOCK = 0x636E_0020


async def seal_everything(storage: Storage) -> int:
    """Seal every record that waits, of all chains; gives how many."""
    sealed = 0
    while done := await _seal_some(storage):
        sealed += done
    return sealed


async def _seal_some(storage: Storage) -> int:
    async with storage.system("seal audit records of all tenants") as connection:
        await hold_chains(connection)
        rows = (await connection.execute(_WAITING, {"limit": _AT_ONCE})).all()
        heads: dict[int | None, Head] = {}
        seals = []
        for tenant_id, record_id, content_hash in rows:
            head = heads.get(tenant_id) or await head_of(connection, tenant_id)
            heads[tenant_id] = head = head.next(record_id, content_hash)
            seals.append({"tenant": tenant_id, "record": record_id, "position": head.position, "hash": head.hash})
        if seals:
            await connection.execute(_SEAL, seals)
            await connection.execute(_SEALED, {"records": [seal["record"] for seal in seals]})
        return len(seals)


async def hold_chains(connection: AsyncConnection) -> None:
    """Let nobody else add to or cut chains until the transaction ends."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def head_of(connection: AsyncConnection, tenant_id: int | None) -> Head:
    """The end of a chain; where it was cut and nothing was sealed since, the place of the cut."""
    row = (await connection.execute(_HEAD, {"tenant": tenant_id})).one_or_none()
    return Head(*row) if row else Head()


# Of what has committed, in the order of ids. A record whose transaction takes long is sealed after later ones.
_WAITING = text(
    """
    SELECT r.tenant_id, r.id, r.content_hash
      FROM audit.waiting w
      JOIN audit.records r ON r.id = w.record_id
     ORDER BY w.record_id LIMIT :limit
    """
)
_SEAL = text(
    "INSERT INTO audit.seals (tenant_id, record_id, position, hash)"
    " VALUES (CAST(:tenant AS int), :record, :position, :hash)"
)
_SEALED = text("DELETE FROM audit.waiting WHERE record_id = ANY(CAST(:records AS bigint[]))")
_HEAD = text(
    """
    SELECT position, hash FROM (
        (SELECT position, hash FROM audit.seals
          WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int) ORDER BY position DESC LIMIT 1)
        UNION ALL
        (SELECT position, hash FROM audit.anchors
          WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int) ORDER BY position DESC LIMIT 1)
    ) AS ends ORDER BY position DESC LIMIT 1
    """
)
