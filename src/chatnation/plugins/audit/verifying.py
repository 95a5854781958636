"""Checks chains against the records that they seal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.audit.chain import Head

_AT_ONCE = 5_000
_MOST_FAULTS = 100
OVERDUE = "10 minutes"
"""A record that waits longer for its seal was put there behind the product's back, or the job does not run."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written: in which record, and what."""

    record_id: int | None
    position: int | None
    what: str


@dataclass(slots=True)
class Verdict:
    """What was found of one chain. `head` is `<position>:<hash>`; noted down elsewhere it proves a later cut."""

    chain: str
    checked: int = 0
    waiting: int = 0
    removed: int = 0
    redacted: int = 0
    head: str = ""
    faults: list[Fault] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return not self.faults

    def blame(self, record_id: int | None, position: int | None, what: str) -> None:
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(Fault(record_id, position, what))


async def verify(
    connection: AsyncConnection,
    tenant_id: int | None,
    chain: str,
    *,
    expected: str | None = None,
    progress: Callable[[int], None] = lambda checked: None,
) -> Verdict:
    """Walk the chain of a tenant, or with None that of the instance; tells every record that was touched.

    `expected` is a head noted before: it must still be a place of this chain. `progress` hears how many records more
    were checked. After a fault the walk goes on from the hash that is stored, so that one fault is one line.
    """
    verdict = Verdict(chain)
    head = await _beginning(connection, tenant_id, verdict)
    heads = {str(head)}
    told: set[int] = set()
    while rows := await _next(connection, tenant_id, head.position):
        for row in rows:
            head = _check(row, head, verdict)
            if expected and expected.startswith(f"{head.position}:"):
                heads.add(str(head))
            if row.redacted_at is not None:
                told.add(row.record_id)
        verdict.checked += len(rows)
        progress(len(rows))
    verdict.head = str(head)
    verdict.redacted = len(told)
    if expected and expected not in heads | {str(head)}:
        verdict.blame(None, None, f"the chain does not lead through {expected}: its end was cut off or written anew")
    await _check_redactions(connection, tenant_id, told, verdict)
    await _check_unsealed(connection, tenant_id, verdict)
    return verdict


async def _beginning(connection: AsyncConnection, tenant_id: int | None, verdict: Verdict) -> Head:
    row = (await connection.execute(_ANCHOR, {"tenant": tenant_id})).one()
    verdict.removed = row.removed
    return Head(row.position, row.hash) if row.hash is not None else Head()


async def _next(connection: AsyncConnection, tenant_id: int | None, after: int) -> Sequence[Row[Any]]:
    given = {"tenant": tenant_id, "after": after, "limit": _AT_ONCE}
    return (await connection.execute(_CHAIN, given)).all()


def _check(row: Row[Any], head: Head, verdict: Verdict) -> Head:
    if row.position != head.position + 1:
        gap = (
            f"{head.position + 1}"
            if row.position == head.position + 2
            else f"{head.position + 1} to {row.position - 1}"
        )
        verdict.blame(None, head.position + 1, f"the seals {gap} are gone")
        return Head(row.position, row.hash)
    if row.content_hash is None:
        verdict.blame(row.record_id, row.position, "the record is gone")
        return Head(row.position, row.hash)
    expected = head.next(row.record_id, row.content_hash)
    if row.redacted_at is None and row.content_hash != row.content_now:
        verdict.blame(row.record_id, row.position, "the record was changed")
    elif expected.hash != row.hash:
        verdict.blame(row.record_id, row.position, "the record was changed together with its hash, or its seal was")
    return Head(row.position, row.hash)


async def _check_redactions(
    connection: AsyncConnection, tenant_id: int | None, redacted: set[int], verdict: Verdict
) -> None:
    """Whoever takes a name out of a record also leaves a record of that."""
    if not redacted:
        return
    admitted = set(await connection.scalars(_ADMITTED, {"tenant": tenant_id}))
    for record_id in sorted(redacted - admitted):
        verdict.blame(record_id, None, "the record was emptied, and no erasure tells of it")


async def _check_unsealed(connection: AsyncConnection, tenant_id: int | None, verdict: Verdict) -> None:
    for row in await connection.execute(_UNSEALED, {"tenant": tenant_id}):
        if row.content_hash != row.content_now and row.redacted_at is None:
            verdict.blame(row.id, None, "the record was changed before it was sealed")
        elif row.overdue or not row.waits:
            verdict.blame(row.id, None, "the record is not sealed")
        else:
            verdict.waiting += 1


_ANCHOR = text(
    """
    SELECT (SELECT coalesce(sum(removed), 0)::bigint FROM audit.anchors
             WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int)) AS removed,
           a.position, a.hash
      FROM (VALUES (true)) AS always
      LEFT JOIN LATERAL (
           SELECT position, hash FROM audit.anchors
            WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int) ORDER BY position DESC LIMIT 1
      ) a ON true
    """
)
_CHAIN = text(
    """
    SELECT s.position, s.record_id, s.hash, r.content_hash, r.redacted_at, audit.content_hash(r) AS content_now
      FROM audit.seals s
      LEFT JOIN audit.records r ON r.id = s.record_id AND r.tenant_id IS NOT DISTINCT FROM s.tenant_id
     WHERE s.tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int) AND s.position > :after
     ORDER BY s.position LIMIT :limit
    """
)
_ADMITTED = text(
    """
    SELECT jsonb_array_elements_text(details -> 'records')::bigint
      FROM audit.records
     WHERE tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int) AND action = 'audit.records.redacted'
    """
)
_UNSEALED = text(
    f"""
    SELECT r.id, r.content_hash, audit.content_hash(r) AS content_now, r.redacted_at, w.record_id IS NOT NULL AS waits,
           r.recorded_at < now() - interval '{OVERDUE}' AS overdue
      FROM audit.records r
      LEFT JOIN audit.waiting w ON w.record_id = r.id
     WHERE r.tenant_id IS NOT DISTINCT FROM CAST(:tenant AS int)
       AND NOT EXISTS (SELECT FROM audit.seals s WHERE s.record_id = r.id)
     ORDER BY r.id
    """
)
