"""Erases persons and tenants: everything, everywhere, in one transaction, with a receipt."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, Text, any_, delete, insert, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.context import Tenant
from chatnation.core.errors import ChatnationError, NotFound
from chatnation.core.hookspecs import data as hooks
from chatnation.core.identity import queries
from chatnation.core.identity.recomputing import log_changes, recompute
from chatnation.core.identity.store import CACHE as IDENTITY_CACHE
from chatnation.core.jobs.schema import SCHEMA as JOBS_SCHEMA
from chatnation.core.storage import copies
from chatnation.core.storage.keepers import check_everybody_can_be_asked, with_tables
from chatnation.core.storage.locks import lock_identity, lock_segments, lock_storing
from chatnation.core.storage.models import (
    erasures,
    identities,
    identity_issues,
    identity_links,
    identity_log,
    person_merges,
    person_traits,
    suppressions,
    tenants,
)
from chatnation.core.storage.storage import raw
from chatnation.core.storage.tenant_tables import count_rows, tenant_tables
from chatnation.core.storage.versions import raise_version

if TYPE_CHECKING:
    from chatnation.core.plugin.boundary import Outcome
    from chatnation.core.plugin.hooks import Hooks
    from chatnation.core.plugin.inventory import Inventory
    from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

PERSON, TENANT = "person", "tenant"


class ErasureIncomplete(ChatnationError):
    """Something could not be erased, so nothing was. The text says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased: rows by kind, such as `{"events": 120, "sessions": 7}`. Never what they said."""

    id: int
    subject: str
    tenant: str
    person_id: UUID | None
    erased_at: datetime
    erased_by: str
    counts: dict[str, int]


Then = Callable[[AsyncConnection, Receipt], Awaitable[None]]
"""What is done with the receipt before the transaction commits: a record of who asked, for example."""
Progress = Callable[[int, int, str], Awaitable[None]]
"""`progress(done, total, what)`: told between steps of long work."""


class Eraser:
    """Erases for good. Each erasure is one transaction: all is gone and there is a receipt, or nothing happened."""

    def __init__(self, storage: Storage, hooks: Hooks, inventory: Inventory) -> None:
        self._storage = storage
        self._hooks = hooks
        self._inventory = inventory

    async def erase_person(self, tenant: Tenant, person_id: UUID, *, by: str, then: Then | None = None) -> Receipt:
        """Erase the person that `person_id` belongs to, with every id that leads to them, and never store them again.

        `by` names who asked; `then` is done last, in the same transaction. Raises NotFound when nobody was ever seen
        under the id, ErasureIncomplete when a plugin cannot erase what it keeps, CannotBeAsked when one that keeps
        something does not run.
        """
        async with self._storage.tenant(tenant.id) as connection:
            asyncpg_connection = await raw(connection)
            await lock_segments(asyncpg_connection, tenant.id)
            await lock_storing(asyncpg_connection, tenant.id, alone=True)
            await lock_identity(asyncpg_connection, tenant.id)
            latest_mark = await copies.latest_mark(connection, tenant.id)
            if await queries.view(connection, tenant.id, person_id) is None:
                raise NotFound("There is no such person.")
            leafs = await queries.leaf_ids(connection, tenant.id, person_id)
            await check_everybody_can_be_asked(hooks.erase_person, self._inventory, connection, tenant.id)
            asked = await with_tables(self._hooks, self._inventory, connection)
            counts = _deleted(await asked.gather(hooks.erase_person, connection, tenant.id, leafs))
            counts += await _delete_events(connection, tenant.id, leafs)
            counts += await _drop_dead_letters(connection, tenant.id, leafs)
            counts += await forget_leafs(connection, tenant.id, leafs)
            await copies.drop_marked_since(connection, tenant.id, latest_mark)
            await connection.execute(
                upsert(suppressions)
                .values([{"tenant_id": tenant.id, "leaf_id": leaf} for leaf in leafs])
                .on_conflict_do_nothing()
            )
            receipt = await _write_receipt(connection, tenant, PERSON, leafs[0], by, counts)
            if then is not None:
                await then(connection, receipt)
            return receipt

    async def summarize_tenant(self, tenant_id: int) -> dict[str, int | None]:
        """What there is to erase, by kind: rows of the core, and what plugins say; None where one cannot count."""
        async with self._storage.tenant(tenant_id) as connection:
            core = [table for table in await tenant_tables(connection) if table.plugin is None and not table.is_copy]
            summary: dict[str, int | None] = dict(await count_rows(connection, core, tenant_id))
        for record in self._inventory:
            summary |= await self._summary_of(record.name, tenant_id)
        return summary

    async def _summary_of(self, plugin: str, tenant_id: int) -> dict[str, int | None]:
        """In a transaction of its own, so that a plugin whose statement fails spoils no other one's count."""
        async with self._storage.tenant(tenant_id) as connection:
            asked = (await with_tables(self._hooks, self._inventory, connection)).only({plugin})
            outcomes = await asked.gather(hooks.summarize_tenant, connection, tenant_id)
        for outcome in outcomes:
            return dict(outcome.value) if outcome.value is not None else {plugin: None}
        return {}

    async def erase_tenant(
        self, tenant: Tenant, *, by: str, then: Then | None = None, progress: Progress | None = None
    ) -> Receipt:
        """Erase a tenant with everything it has, in the core and in every plugin, also in those that do not run.

        `then` is done last, in the same transaction. `progress` is told of each table before it is emptied.
        """
        async with self._storage.system("erase a tenant") as connection:
            asyncpg_connection = await raw(connection)
            await lock_segments(asyncpg_connection, tenant.id)
            await lock_storing(asyncpg_connection, tenant.id, alone=True)
            await lock_identity(asyncpg_connection, tenant.id)
            await connection.execute(_ERASING)
            asked = await with_tables(self._hooks, self._inventory, connection)
            counts = _deleted(await asked.gather(hooks.erase_tenant, connection, tenant.id))
            members = list(await connection.scalars(_MEMBERS, {"tenant": tenant.id}))
            tables = await tenant_tables(connection)
            for done, table in enumerate(tables):
                if progress is not None:
                    await progress(done, len(tables), table.label)
                if table.label != erasures.name:
                    query = text(f"DELETE FROM {table.quoted} WHERE tenant_id = :tenant")
                    counts[table.label] += (await connection.execute(query, {"tenant": tenant.id})).rowcount
            counts["users"] += (await connection.execute(_HOMELESS, {"users": members})).rowcount
            counts["jobs"] += (await connection.execute(_JOBS, {"tenant": str(tenant.id)})).rowcount
            gone = await connection.execute(delete(tenants).where(tenants.c.id == tenant.id))
            if not gone.rowcount:
                raise NotFound("There is no such tenant.")
            await raise_version(connection, IDENTITY_CACHE)
            receipt = await _write_receipt(connection, tenant, TENANT, None, by, counts)
            if then is not None:
                await then(connection, receipt)
            return receipt


async def forget_leafs(connection: AsyncConnection, tenant_id: int, leafs: Sequence[UUID]) -> Counter[str]:
    """Delete ids with all that is known of them, and work out anew who is who around them; gives the rows by kind.

    The caller holds the identity lock.
    """
    links = identity_links.c
    touching = (links.tenant_id == tenant_id) & or_(links.a.in_(leafs), links.b.in_(leafs))
    ends = (await connection.execute(delete(identity_links).where(touching).returning(links.a, links.b))).all()
    counts = Counter(identity_links=len(ends))
    for table, condition in (
        (person_merges, person_merges.c.leaf_id.in_(leafs)),
        (person_traits, person_traits.c.leaf_id.in_(leafs)),
        (identity_log, identity_log.c.person_id.in_(leafs) | identity_log.c.leaf_ids.has_any(_texts(leafs))),
        (identity_issues, identity_issues.c.subject.like(any_(_texts(f"%{leaf}%" for leaf in leafs)))),
        (identities, identities.c.leaf_id.in_(leafs)),
    ):
        gone = await connection.execute(delete(table).where(table.c.tenant_id == tenant_id, condition))
        counts[table.name] += gone.rowcount
    neighbours = {leaf for end in ends for leaf in end}.difference(leafs)
    if neighbours:
        asyncpg_connection = await raw(connection)
        changes = await recompute(asyncpg_connection, tenant_id, neighbours)
        await log_changes(asyncpg_connection, tenant_id, changes)
    await raise_version(connection, IDENTITY_CACHE)
    return +counts


def _texts(values: Iterable[object]) -> ColumnElement[Sequence[str]]:
    return literal([str(value) for value in values], ARRAY(Text))


async def list_receipts(connection: AsyncConnection, *, tenant: str | None = None, limit: int = 100) -> list[Receipt]:
    """Receipts, the latest first; those of one tenant by its handle, which may be gone."""
    columns = erasures.c
    query = select(
        columns.id,
        columns.subject,
        columns.tenant_slug,
        columns.person_id,
        columns.erased_at,
        columns.erased_by,
        columns.counts,
    ).order_by(columns.id.desc())
    if tenant is not None:
        query = query.where(columns.tenant_slug == tenant)
    return [Receipt(*row) for row in await connection.execute(query.limit(limit))]


def _deleted(outcomes: Iterable[Outcome[int]]) -> Counter[str]:
    """Rows that each plugin deleted. One that failed makes the transaction roll back."""
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        if not outcome.ok:
            raise ErasureIncomplete(
                f"The plugin {outcome.plugin} could not erase what it keeps, so nothing was erased: {outcome.error}"
            ) from outcome.error
        counts[outcome.plugin] += outcome.value or 0
    return counts


async def _delete_events(connection: AsyncConnection, tenant_id: int, leafs: Sequence[UUID]) -> Counter[str]:
    row = (await connection.execute(_EVENTS, {"tenant": tenant_id, "leafs": list(leafs)})).one()
    return +Counter(row._asdict())


async def _drop_dead_letters(connection: AsyncConnection, tenant_id: int, leafs: Sequence[UUID]) -> Counter[str]:
    """Drop deliveries that could not be stored and name an id of the person, others' events in them included."""
    known = identities.c
    values = await connection.scalars(select(known.value).where(known.tenant_id == tenant_id, known.leaf_id.in_(leafs)))
    spellings = [json.dumps(spelling).encode() for value in values for spelling in (value, f"+{value}")]
    dropped = await connection.scalar(_DEAD_LETTERS, {"tenant": tenant_id, "spellings": spellings})
    return Counter(dead_letters=dropped or 0)


async def _write_receipt(
    connection: AsyncConnection, tenant: Tenant, subject: str, person_id: UUID | None, by: str, counts: Counter[str]
) -> Receipt:
    kept = {kind: count for kind, count in sorted(counts.items()) if count}
    query = (
        insert(erasures)
        .values(
            tenant_id=tenant.id,
            tenant_slug=tenant.slug,
            subject=subject,
            person_id=person_id,
            erased_by=by,
            counts=kept,
        )
        .returning(erasures.c.id, erasures.c.erased_at)
    )
    receipt_id, erased_at = (await connection.execute(query)).one()
    logger.info("erased a %s, tenant %s, for %s: %s", subject, tenant.slug, by, kept)
    return Receipt(receipt_id, subject, tenant.slug, person_id, erased_at, by, kept)


# An event that a projection still has to see is named in its failure, with what no column keeps of it.
_EVENTS = text(
    """
    WITH gone AS (
        DELETE FROM events WHERE tenant_id = :tenant AND person_id = ANY(CAST(:leafs AS uuid[]))
        RETURNING message_id, timestamp
    ), marked AS (
        INSERT INTO segment_markers (tenant_id, source, quarter)
        SELECT DISTINCT :tenant, 'events', date_bin('15 minutes', timestamp, 'epoch') FROM gone
    ), keys AS (
        DELETE FROM event_keys k USING gone
         WHERE k.tenant_id = :tenant AND k.message_id = gone.message_id
        RETURNING k.message_id
    ), failures AS (
        UPDATE projection_failures f SET event_keys = (
            SELECT coalesce(jsonb_agg(kept.key ORDER BY kept.place), '[]')
              FROM jsonb_array_elements(f.event_keys) WITH ORDINALITY AS kept (key, place)
             WHERE CAST(kept.key ->> 1 AS uuid) NOT IN (SELECT message_id FROM gone)
        )
        WHERE f.tenant_id = :tenant AND EXISTS (
            SELECT FROM jsonb_array_elements(f.event_keys) AS named (key)
             WHERE CAST(named.key ->> 1 AS uuid) IN (SELECT message_id FROM gone)
        )
    )
    SELECT (SELECT count(*) FROM gone) AS events, (SELECT count(*) FROM keys) AS event_keys
    """
)
# Their events were counted as dead, and are now counted as rejected, so that the sum still holds.
_DEAD_LETTERS = text(
    """
    WITH gone AS (
        DELETE FROM dead_letters
         WHERE tenant_id = :tenant
           AND EXISTS (SELECT FROM unnest(CAST(:spellings AS bytea[])) AS id WHERE position(id IN delivery) > 0)
        RETURNING project_id, date_trunc('minute', received_at) AS minute, events
    ), counted AS (
        INSERT INTO ingest_ledger AS ledger (tenant_id, project_id, minute, outcome, reason, count)
        SELECT :tenant, project_id, minute, outcome, reason, sum(events * sign)
          FROM gone CROSS JOIN (VALUES ('dead', '', -1), ('rejected', 'erased', 1)) AS hand (outcome, reason, sign)
         GROUP BY project_id, minute, outcome, reason
        ON CONFLICT (tenant_id, project_id, minute, outcome, reason) DO UPDATE SET count = ledger.count + excluded.count
    )
    SELECT count(*) FROM gone
    """
)
# For tables that are append-only otherwise: their triggers let this transaction delete, also while their plugin is off.
_ERASING = text("SELECT set_config('chatnation.erasing', 'tenant', true)")
_MEMBERS = text("SELECT user_id FROM memberships WHERE tenant_id = :tenant")
_HOMELESS = text(
    "DELETE FROM users u WHERE id = ANY(:users) AND NOT EXISTS (SELECT FROM memberships m WHERE m.user_id = u.id)"
)
_JOBS = text(
    f"DELETE FROM {JOBS_SCHEMA}.queue WHERE payload IS NOT NULL"
    " AND convert_from(payload, 'UTF8')::jsonb ->> 'tenant_id' = :tenant"
)
