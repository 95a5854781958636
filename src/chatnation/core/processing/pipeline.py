"""From deliveries to rows: decode, enrich, recognise, and store with everything that follows, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.identity.evidence import Ids, Recogniser
from chatnation.core.identity.store import Confirm, IdentityStore
from chatnation.core.ingestion.event import Delivery, Event, EventBatch
from chatnation.core.ingestion.ledger import DEAD, DUPLICATE, REJECTED, STORED
from chatnation.core.ingestion.normalize import Normalizer
from chatnation.core.ingestion.times import ClockRules
from chatnation.core.processing.clients import Clients
from chatnation.core.processing.deliveries import SUPPRESSED, Account, guard_id, take_deliveries
from chatnation.core.processing.event_rows import insert_events, is_keyed
from chatnation.core.processing.notices import events_stored
from chatnation.core.processing.projecting import Projections
from chatnation.core.processing.stages import Stages
from chatnation.core.query.segments.markers import mark
from chatnation.core.query.segments.sources import EVENTS
from chatnation.core.storage.locks import lock_storing
from chatnation.core.storage.partitions import Partitions
from chatnation.core.storage.storage import Storage, enter_tenant, raw

if TYPE_CHECKING:
    import asyncpg

    from chatnation.core.app import App

_SUPPRESSED = "SELECT leaf_id FROM suppressions WHERE tenant_id = $1 AND leaf_id = ANY ($2)"
_BREATHE_EVERY = 250
"""Events between two pauses of decoding, in which the transaction of the batch before moves on."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Deliveries of one tenant, decoded and enriched. `ids` are those of the events of `batch`, in order.

    `alone`: holds events whose copies may be stored under another time, so no other transaction may store meanwhile.
    `dead` counts events that were taken out of the first delivery because they cannot be stored.
    """

    batch: EventBatch
    ids: list[Ids]
    deliveries: tuple[Delivery, ...]
    enabled: frozenset[str]
    alone: bool
    dead: int = 0

    @property
    def tenant_id(self) -> int:
        return self.batch.tenant_id


@dataclass(frozen=True, slots=True)
class Stored:
    """What a transaction did: the events that were new, and how many of the others there were by outcome."""

    events: Sequence[Event] = ()
    duplicates: int = 0
    suppressed: int = 0
    dead: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            [*self.events, *other.events],
            self.duplicates + other.duplicates,
            self.suppressed + other.suppressed,
            self.dead + other.dead,
        )


class Rehearsed(Exception):
    """Ends a rehearsal, so that its transaction rolls back."""


class Pipeline:
    """Stores deliveries. One per process: it remembers ids and user agents of recent events."""

    def __init__(
        self,
        *,
        storage: Storage,
        stages: Stages,
        projections: Projections,
        partitions: Partitions,
        enabled: Callable[[int], frozenset[str]],
        rules: ClockRules,
        publish: Callable[..., None],
    ) -> None:
        self._storage = storage
        self._stages = stages
        self._projections = projections
        self._partitions = partitions
        self._enabled = enabled
        self._normalizer: Final = Normalizer(rules)
        self._publish = publish
        self._clients: Final = Clients(storage)
        self._recogniser: Final = Recogniser()
        self._identity: Final = IdentityStore()

    @classmethod
    def of(cls, app: App) -> Pipeline:
        """The pipeline of an app."""
        return cls(
            storage=app.storage,
            stages=Stages(app.resources.stages, app.boundary, app.metrics, app.switches.wanted),
            projections=Projections(app.resources.projections, app.boundary, app.metrics),
            partitions=Partitions(app.storage, app.clock),
            enabled=app.enabled,
            rules=ClockRules.of(app.settings),
            publish=app.signals.publish,
        )

    def forget(self) -> None:
        """Drop what is remembered of ids, because the database may have lost it: a person or tenant was erased."""
        self._recogniser.forget()
        self._identity.forget()

    async def run(
        self, tenant_id: int, deliveries: Sequence[Delivery], *, dead: int = 0, rehearse: bool = False
    ) -> Stored:
        """Prepare and store deliveries of a tenant.

        `dead` events were taken out of the one delivery given, and are counted with it. With `rehearse` everything is
        tried and nothing is kept.
        """
        stored = Stored()
        for prepared in await self.prepare(tenant_id, deliveries):
            stored += await self.store(replace(prepared, dead=dead), rehearse=rehearse)
        return stored

    async def prepare(self, tenant_id: int, deliveries: Sequence[Delivery]) -> list[Prepared]:
        """Decode and enrich the deliveries of a tenant, as one or two batches.

        Those with corrected times come as a batch of their own: it has to be stored alone, so it had better be small.
        Raises UnreadableDelivery, StageRefused.
        """
        plain: list[tuple[Delivery, list[Event]]] = []
        corrected: list[tuple[Delivery, list[Event]]] = []
        since_pause = 0
        for delivery in {guard_id(delivery): delivery for delivery in deliveries}.values():
            events = self._normalizer.events(delivery)
            (corrected if any(map(is_keyed, events)) else plain).append((delivery, events))
            since_pause += len(events)
            if since_pause >= _BREATHE_EVERY:
                since_pause = 0
                await asyncio.sleep(0)
        enabled = self._enabled(tenant_id)
        return [
            await self._enrich(tenant_id, group, enabled, alone=group is corrected)
            for group in (plain, corrected)
            if group
        ]

    async def _enrich(
        self, tenant_id: int, group: Sequence[tuple[Delivery, list[Event]]], enabled: frozenset[str], *, alone: bool
    ) -> Prepared:
        for place, (_, events) in enumerate(group):
            for event in events:
                event.delivery = place
        batch = EventBatch(tenant_id, [event for _, events in group for event in events])
        await self._stages.apply(batch, enabled)
        await self._clients.identify(batch)
        ids = self._recogniser.recognise(batch)
        return Prepared(batch, ids, tuple(delivery for delivery, _ in group), enabled, alone)

    async def store(self, prepared: Prepared, *, rehearse: bool = False) -> Stored:
        """Store a batch, with its projections, persons and counts; all of it or nothing. See `failures` for errors."""
        await self._partitions.ensure(_months(prepared.batch))
        try:
            async with self._storage.system("copy events of a tenant") as connection:
                stored, confirmations = await self._write(connection, prepared)
                if rehearse:
                    raise Rehearsed
        except Rehearsed:
            return Stored()
        for confirm in confirmations:
            confirm()
        return stored

    async def _write(self, connection: AsyncConnection, prepared: Prepared) -> tuple[Stored, list[Confirm]]:
        # Every transaction takes its locks in the order of these steps, so that no two wait for each other.
        tenant_id, database = prepared.tenant_id, await raw(connection)
        await lock_storing(database, tenant_id, alone=prepared.alone)
        fresh = await take_deliveries(database, tenant_id, prepared.deliveries)
        if not fresh:
            return Stored(), []
        account = Account(prepared.deliveries)
        batch, ids = await self._candidates(database, prepared, fresh, account)
        new = await insert_events(database, tenant_id, batch.events)
        await enter_tenant(connection, tenant_id)
        account.add(STORED, new)
        if len(new) < len(batch):
            kept = {id(event) for event in new}
            account.add(DUPLICATE, [event for event in batch if id(event) not in kept])
            batch, ids = _narrowed(batch, ids, lambda event, _: id(event) in kept)
        evidence = self._recogniser.gather(batch, ids)
        confirmations = [await self._identity.record_sightings(database, tenant_id, evidence)]
        if new:
            await mark(database, tenant_id, EVENTS.name, [event.timestamp for event in new])
            await self._projections.apply(connection, batch, prepared.enabled)
            self._publish(connection, events_stored(tenant_id, new))
        confirmations.append(await self._identity.record_links(database, tenant_id, evidence))
        await account.write(connection)
        stored = Stored(new, account.total(DUPLICATE), account.total(REJECTED), account.total(DEAD))
        return stored, confirmations

    async def _candidates(
        self, database: asyncpg.Connection[Any], prepared: Prepared, fresh: set[UUID], account: Account
    ) -> tuple[EventBatch, list[Ids]]:
        """The events of fresh deliveries with their ids, but those of persons who were erased."""
        places = {place for place, delivery in enumerate(prepared.deliveries) if guard_id(delivery) in fresh}
        if prepared.dead and 0 in places:
            account.add_dead(0, prepared.dead)
        batch, ids = prepared.batch, prepared.ids
        if len(places) < len(prepared.deliveries):
            batch, ids = _narrowed(batch, ids, lambda event, _: event.delivery in places)
        suppressed = await _suppressed(database, prepared.tenant_id, {id(its): its for its in ids}.values())
        if suppressed:
            gone, _ = _narrowed(batch, ids, lambda _, its: id(its) in suppressed)
            account.add(REJECTED, gone, SUPPRESSED)
            batch, ids = _narrowed(batch, ids, lambda _, its: id(its) not in suppressed)
        return batch, ids


async def _suppressed(database: asyncpg.Connection[Any], tenant_id: int, each: Collection[Ids]) -> set[int]:
    """Which of `each`, as identities of the objects, hold an id of a person who was erased."""
    leafs = {node.leaf for ids in each for node in ids.nodes}
    gone = {row["leaf_id"] for row in await database.fetch(_SUPPRESSED, tenant_id, leafs)}
    return {id(ids) for ids in each if any(node.leaf in gone for node in ids.nodes)} if gone else set()


def _narrowed(
    batch: EventBatch, ids: Sequence[Ids], wanted: Callable[[Event, Ids], bool]
) -> tuple[EventBatch, list[Ids]]:
    """A batch of the events that are wanted, and their ids."""
    pairs = [(event, its) for event, its in zip(batch, ids, strict=True) if wanted(event, its)]
    return EventBatch(batch.tenant_id, [event for event, _ in pairs]), [its for _, its in pairs]


def _months(batch: EventBatch) -> Iterable[datetime]:
    """A time of each month in the batch."""
    return {(event.timestamp.year, event.timestamp.month): event.timestamp for event in batch}.values()
