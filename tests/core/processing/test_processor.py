"""From the stream to the tables, and what happens when somebody dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from sqlalchemy import text

from chatnation.core.identity.nodes import Kind
from chatnation.core.ingestion.event import Delivery
from chatnation.core.live import live_key, read_entry
from chatnation.core.processing.notices import LIVE_KIND, EventsStored
from chatnation.core.processing.processor import OFTEN, TOO_OFTEN, Processor
from chatnation.core.queue.base import Entry
from chatnation.testing.events import page_view, track

if TYPE_CHECKING:
    from tests.core.processing.conftest import Intake, MakeIntake


async def until(condition: Callable[[], Any], *, seconds: float = 30) -> None:
    """Wait until `condition()`, or what it gives to await, holds."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(*processors: Processor) -> AsyncIterator[None]:
    """Run processors while the block does, and let them finish."""
    tasks = [asyncio.create_task(processor.run()) for processor in processors]
    try:
        yield
    finally:
        for processor in processors:
            processor.stop()
        await asyncio.gather(*tasks)


async def test_what_is_published_is_stored_and_leaves_the_stream(intake: Intake) -> None:
    async with running(intake.processor()):
        await intake.publish(*(intake.delivery(page_view(), page_view()) for _ in range(20)))
        await until(lambda: _is_empty(intake))
    assert await intake.stored() == 40
    assert await intake.ledger() == {"stored": 40}


async def _is_empty(intake: Intake) -> bool:
    return await intake.waiting() == 0


async def test_several_workers_share_the_work_and_store_each_event_once(
    intake: Intake, make_intake: MakeIntake
) -> None:
    others = [await make_intake(like=intake) for _ in range(2)]
    deliveries = [intake.delivery(*(page_view() for _ in range(5))) for _ in range(60)]
    copies = [msgspec.structs.replace(delivery, id=bytes(reversed(delivery.id))) for delivery in deliveries]
    settings = {"process_batch_events": 40}
    async with running(*(worker.processor(**settings) for worker in (intake, *others))):
        await intake.publish(*deliveries, *reversed(copies), *deliveries)
        await until(lambda: _is_empty(intake))
    assert await intake.stored() == 300
    assert await intake.ledger() == {"stored": 300, "duplicate": 300}


async def test_entries_of_a_worker_that_died_are_claimed(intake: Intake, make_intake: MakeIntake) -> None:
    other = await make_intake(like=intake)
    await intake.publish(*(intake.delivery(page_view()) for _ in range(3)))
    held = await other.app.queue.read(0, max_events=100, wait_ms=1)
    assert len(held) == 3
    async with running(intake.processor(process_claim_after_ms=100)):
        await until(lambda: _is_empty(intake))
    assert await intake.stored() == 3


async def test_a_crash_between_commit_and_acknowledgement_counts_nothing_twice(
    intake: Intake, make_intake: MakeIntake
) -> None:
    other = await make_intake(like=intake)
    await intake.publish(intake.delivery(page_view(), page_view()))
    held = await other.app.queue.read(0, max_events=100, wait_ms=1)
    await other.store(*(delivery for entry in held for delivery in entry.deliveries))
    assert await intake.waiting() == 2, "committed, not acknowledged"
    async with running(intake.processor(process_claim_after_ms=100)):
        await until(lambda: _is_empty(intake))
    assert await intake.ledger() == {"stored": 2}
    assert await intake.stored() == 2


async def test_a_worker_that_is_stopped_finishes_its_batch(intake: Intake) -> None:
    processor = intake.processor()
    task = asyncio.create_task(processor.run())
    await intake.publish(*(intake.delivery(page_view()) for _ in range(50)))
    await until(lambda: bool(processor._in_hand))
    processor.stop()
    await task
    assert await intake.stored() + await intake.waiting() == 50
    assert await intake.stored() > 0


async def test_a_stopped_worker_reads_no_more(intake: Intake) -> None:
    processor = intake.processor()
    processor.stop()
    await intake.publish(intake.delivery(page_view()))
    await processor.run()
    assert await intake.waiting() == 1


async def test_while_the_database_refuses_nothing_is_acknowledged_and_later_all_is_stored(intake: Intake) -> None:
    await intake.publish(*(intake.delivery(page_view()) for _ in range(5)))
    processor = intake.processor()
    await _rename_events(intake, "events", "events_away")
    async with running(processor):
        await until(lambda: processor.troubled)
        assert await intake.waiting() == 5
        await _rename_events(intake, "events_away", "events")
        await until(lambda: _is_empty(intake))
    assert await intake.stored() == 5
    assert await intake.dead_letters.list(intake.tenant_id) == []


async def _rename_events(intake: Intake, before: str, after: str) -> None:
    async with intake.app.storage.system("hide a table for a test") as connection:
        await connection.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))


async def test_lost_connections_are_replaced(intake: Intake) -> None:
    await intake.send(page_view())
    async with intake.app.storage.system("cut connections for a test") as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    await intake.publish(intake.delivery(page_view()))
    await intake.processor().drain()
    assert await intake.stored() == 2


async def test_a_batch_of_many_tenants_is_stored_tenant_by_tenant(intake: Intake) -> None:
    sources = [intake.source, *[await intake.running.source() for _ in range(3)]]
    deliveries = [
        intake.delivery(page_view(), tenant_id=source.tenant.id, project_id=source.project.id) for source in sources
    ]
    await intake.app.queue.publish(0, deliveries)
    await intake.processor().drain()
    async with intake.app.storage.system("count for a test") as connection:
        rows = await connection.execute(text("SELECT tenant_id, count(*) FROM events GROUP BY tenant_id"))
        assert dict(map(tuple, rows)) == {source.tenant.id: 1 for source in sources}


@pytest.mark.parametrize("attempts", [OFTEN, TOO_OFTEN])
async def test_an_entry_that_outlived_many_workers_is_handled_by_itself_and_at_last_buried(
    intake: Intake, attempts: int
) -> None:
    async def entry(delivery: Delivery, attempts: int) -> Entry:
        await intake.publish(delivery)
        (read,) = await intake.app.queue.read(0, max_events=1, wait_ms=1)
        return Entry(read.id, read.partition, read.deliveries, attempts)

    worn = await entry(intake.delivery(track("worn")), attempts)
    fresh = await entry(intake.delivery(track("fresh")), 1)
    await intake.processor().handle([worn, fresh])
    names = {name for (name,) in await intake.rows("SELECT event_name FROM events WHERE tenant_id = :tenant")}
    assert names == ({"fresh", "worn"} if attempts == OFTEN else {"fresh"})
    assert len(await intake.dead_letters.list(intake.tenant_id)) == (attempts == TOO_OFTEN)
    assert await intake.waiting() == 0


async def test_open_pages_and_listeners_hear_of_new_events_after_the_commit(intake: Intake) -> None:
    event = page_view("/start")
    await intake.publish(intake.delivery(event, track("button_click")), intake.delivery(event))
    await intake.processor().drain()
    entries = await intake.app.redis.xrange(live_key(intake.tenant_id))
    messages = [read_entry(*entry) for entry in entries]
    assert [message.kind for message in messages] == [LIVE_KIND]
    told = msgspec.json.decode(messages[0].data)
    assert told["count"] == 2
    assert told["latest"][0]["page_path"] == "/start"
    (notice,) = [event for event in intake.running.domain_events if isinstance(event, EventsStored)]
    assert (notice.tenant_id, notice.count, notice.names) == (
        intake.tenant_id,
        2,
        frozenset({"page_view", "button_click"}),
    )


async def test_events_of_an_erased_person_are_not_stored_again(intake: Intake) -> None:
    leaf = intake.leaf(Kind.USER, "A1")
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        await connection.execute(
            text("INSERT INTO suppressions (tenant_id, leaf_id) VALUES (:tenant, :leaf)"),
            {"tenant": intake.tenant_id, "leaf": leaf},
        )
    await intake.send(page_view(user="A1"), page_view())
    assert await intake.stored() == 1
    assert await intake.ledger() == {"rejected": 1, "stored": 1}
    assert await intake.rows("SELECT reason FROM ingest_ledger WHERE outcome = 'rejected'") == [("suppressed",)]
    assert await intake.value("SELECT count(*) FROM identities WHERE leaf_id = :leaf", leaf=leaf) == 0


async def test_clients_are_stored_once(intake: Intake, make_intake: MakeIntake) -> None:
    other = await make_intake(like=intake)
    fields = {"user_agent": "Mozilla/5.0 (X11; Linux x86_64)"}
    await asyncio.gather(
        *(worker.store(*(worker.delivery(page_view(), **fields) for _ in range(5))) for worker in (intake, other))
    )
    rows = await intake.rows("SELECT client_id FROM events WHERE tenant_id = :tenant")
    assert len(rows) == 10
    assert len(set(rows)) == 1
    assert await intake.value("SELECT count(*) FROM clients") == 1


async def test_figures_are_kept(intake: Intake, received: Any) -> None:
    event = page_view(at=received)
    again = intake.delivery(event, received=received + timedelta(hours=1))
    await intake.publish(intake.delivery(event), again, intake.delivery(page_view()))
    await intake.processor().drain()
    value = intake.app.metrics.registry.get_sample_value
    assert value("chatnation_processed_events_total", {"outcome": "stored"}) == 2
    assert value("chatnation_processed_events_total", {"outcome": "duplicate"}) == 1
    assert value("chatnation_lag_seconds_count") == 3
