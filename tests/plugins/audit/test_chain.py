"""Whoever touches the log behind the product's back is found out, by the record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from chatnation.plugins.audit.sealing import seal_everything
from chatnation.testing import MakeApp, RunningApp, Source
from tests.plugins.audit.chains import check, write

Ids = list[int]


async def filled(make_app: MakeApp, count: int = 6) -> tuple[RunningApp, Source, Ids]:
    """A sealed log of some records, and their ids."""
    running = await make_app()
    source = await running.source()
    for number in range(count):
        await write(running, source, "config.team.created", resource_id=str(number))
    assert (await check(running, source)).intact
    async with running.app.storage.system("ids of a log") as connection:
        ids = list(await connection.scalars(text("SELECT record_id FROM audit.seals ORDER BY position")))
    return running, source, ids


async def without_triggers(running: RunningApp, *statements: str) -> None:
    """What somebody can do who owns the database and means it."""
    tables = ("records", "seals", "anchors")
    async with running.app.storage.system("tamper with a log") as connection:
        for table in tables:
            await connection.execute(text(f"ALTER TABLE audit.{table} DISABLE TRIGGER USER"))
        for statement in statements:
            await connection.execute(text(statement))
        for table in tables:
            await connection.execute(text(f"ALTER TABLE audit.{table} ENABLE TRIGGER USER"))


Touch = Callable[[int], tuple[str, ...]]
TOUCHES: dict[str, tuple[Touch, str]] = {
    "another actor": (lambda record: (f"UPDATE audit.records SET actor_name = 'x' WHERE id = {record}",), "changed"),
    "other details": (
        lambda record: (f"UPDATE audit.records SET details = '{{\"a\": 1}}' WHERE id = {record}",),
        "changed",
    ),
    "another time": (
        lambda record: (f"UPDATE audit.records SET recorded_at = recorded_at - interval '1 h' WHERE id = {record}",),
        "changed",
    ),
    "another record and its hash": (
        lambda record: (
            f"UPDATE audit.records SET action = 'x' WHERE id = {record}",
            f"UPDATE audit.records r SET content_hash = audit.content_hash(r) WHERE id = {record}",
        ),
        "changed together with its hash",
    ),
    "a record gone": (lambda record: (f"DELETE FROM audit.records WHERE id = {record}",), "the record is gone"),
    "a record emptied as if by an erasure": (
        lambda record: (f"UPDATE audit.records SET resource_id = NULL, redacted_at = now() WHERE id = {record}",),
        "no erasure tells of it",
    ),
}


@pytest.mark.parametrize("touch", TOUCHES)
async def test_a_record_that_was_touched_is_named_and_only_that(make_app: MakeApp, touch: str) -> None:
    running, source, ids = await filled(make_app)
    statements, says = TOUCHES[touch]
    await without_triggers(running, *statements(ids[2]))
    verdict = await check(running, source)
    assert [fault.record_id for fault in verdict.faults] == [ids[2]]
    assert says in verdict.faults[0].what


async def test_a_record_and_its_seal_that_are_gone_leave_a_gap(make_app: MakeApp) -> None:
    running, source, ids = await filled(make_app)
    await without_triggers(
        running,
        f"DELETE FROM audit.seals WHERE record_id = {ids[2]}",
        f"DELETE FROM audit.records WHERE id = {ids[2]}",
    )
    verdict = await check(running, source)
    assert [(fault.position, fault.what) for fault in verdict.faults] == [(3, "the seals 3 are gone")]


async def test_a_record_that_was_slipped_in_without_waiting_for_a_seal_is_found(make_app: MakeApp) -> None:
    running, source, _ = await filled(make_app)
    await without_triggers(
        running,
        f"INSERT INTO audit.records (tenant_id, action, content_hash) VALUES ({source.tenant.id}, 'auth.login', '')",
    )
    (fault,) = (await check(running, source)).faults
    assert "before it was sealed" in fault.what or "not sealed" in fault.what


async def test_an_end_that_was_cut_off_shows_against_a_head_that_was_noted(make_app: MakeApp) -> None:
    running, source, ids = await filled(make_app)
    head = (await check(running, source)).head
    await write(running, source, "config.team.deleted")
    assert (await check(running, source, expected=head)).intact
    doomed = f"(SELECT record_id FROM audit.seals WHERE position >= {len(ids)})"
    await without_triggers(
        running,
        f"DELETE FROM audit.records WHERE id IN {doomed}",
        f"DELETE FROM audit.seals WHERE record_id IN {doomed}",
    )
    assert (await check(running, source)).intact
    (fault,) = (await check(running, source, expected=head)).faults
    assert "cut off or written anew" in fault.what


async def test_writers_do_not_wait_for_each_other_and_the_late_one_is_sealed_later(make_app: MakeApp) -> None:
    running, source, _ = await filled(make_app, 1)
    hold = asyncio.Event()
    begun = asyncio.Event()

    async def slowly() -> None:
        async with running.app.storage.tenant(source.tenant.id) as connection:
            await connection.execute(
                text("INSERT INTO audit.records (tenant_id, action) VALUES (:tenant, 'slow')"),
                {"tenant": source.tenant.id},
            )
            begun.set()
            await hold.wait()

    slow = asyncio.create_task(slowly())
    await begun.wait()
    await asyncio.wait_for(write(running, source, "config.team.created"), 5)
    assert (await check(running, source)).checked == 2
    hold.set()
    await slow
    verdict = await check(running, source)
    assert (verdict.intact, verdict.checked) == (True, 3)


async def test_several_workers_that_seal_at_once_make_one_chain(make_app: MakeApp) -> None:
    running, source, _ = await filled(make_app, 1)
    jobs: list[Awaitable[object]] = []
    for number in range(20):
        await write(running, source, "config.team.created", resource_id=str(number))
    jobs = [seal_everything(running.app.storage) for _ in range(4)]
    await asyncio.gather(*jobs)
    verdict = await check(running, source)
    assert (verdict.intact, verdict.checked) == (True, 21)
