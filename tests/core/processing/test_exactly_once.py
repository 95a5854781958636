"""An event is stored once, however often and in whatever company it comes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from chatnation.testing.events import page_view, track

if TYPE_CHECKING:
    from tests.core.processing.conftest import Intake, MakeIntake

HOUR = timedelta(hours=1)


async def test_a_delivery_that_is_handed_out_again_is_skipped_whole(intake: Intake) -> None:
    delivery = intake.delivery(page_view(), page_view())
    assert len((await intake.store(delivery)).events) == 2
    again = await intake.store(delivery)
    assert (len(again.events), again.duplicates) == (0, 0)
    assert await intake.ledger() == {"stored": 2}


async def test_a_delivery_that_is_twice_in_one_batch_counts_once(intake: Intake) -> None:
    delivery = intake.delivery(page_view(), page_view())
    await intake.store(delivery, delivery)
    assert await intake.ledger() == {"stored": 2}


async def test_a_client_that_sends_the_same_batch_hours_later_adds_nothing(intake: Intake, received: datetime) -> None:
    events = [page_view(at=received - HOUR), track("button_click", at=received - HOUR)]
    for hours in range(3):
        await intake.store(intake.delivery(*events, received=received + hours * HOUR, sent=received))
    assert await intake.stored() == 2
    assert await intake.ledger() == {"stored": 2, "duplicate": 4}


async def test_of_equal_ids_in_one_batch_the_first_is_stored(intake: Intake) -> None:
    first = track("first")
    second = {**track("second"), "event_id": first["event_id"]}
    await intake.store(intake.delivery(first, second))
    third = {**track("third"), "event_id": first["event_id"], "timestamp": first["timestamp"]}
    await intake.store(intake.delivery(third), intake.delivery(third))
    assert await intake.rows("SELECT event_name FROM events WHERE tenant_id = :tenant") == [("first",)]
    assert await intake.ledger() == {"stored": 1, "duplicate": 3}


@pytest.mark.parametrize("skew", [timedelta(days=-3), timedelta(days=3), timedelta(seconds=61), timedelta(seconds=-61)])
async def test_a_retry_from_a_wrong_clock_adds_nothing_and_the_time_is_right(
    intake: Intake, received: datetime, skew: timedelta
) -> None:
    truth = received - timedelta(minutes=5)
    event = page_view(at=truth + skew)
    for minutes in (0, 7, 90):
        now = received + timedelta(minutes=minutes)
        await intake.store(intake.delivery(event, received=now, sent=now + skew))
    ((stored, claimed),) = await intake.rows("SELECT timestamp, claimed_at FROM events WHERE tenant_id = :tenant")
    assert abs(stored - truth) < timedelta(seconds=1)
    assert claimed == truth + skew
    assert await intake.ledger() == {"stored": 1, "duplicate": 2}


@pytest.mark.parametrize(("first", "second"), [(59, 61), (61, 59)])
async def test_a_skew_that_is_measured_on_either_side_of_the_limit_makes_no_copy(
    intake: Intake, received: datetime, first: int, second: int
) -> None:
    event = page_view(at=received)
    for skew in (first, second):
        sent = received - timedelta(seconds=skew)
        await intake.store(intake.delivery(event, received=received, sent=sent))
    assert await intake.ledger() == {"stored": 1, "duplicate": 1}


async def test_both_copies_in_one_batch_are_told_apart_too(intake: Intake, received: datetime) -> None:
    event = page_view(at=received)
    near = intake.delivery(event, received=received, sent=received)
    far = intake.delivery(event, received=received + HOUR, sent=received)
    await intake.store(far, near)
    assert await intake.ledger() == {"stored": 1, "duplicate": 1}


async def test_an_event_from_the_future_is_stored_now_and_once(intake: Intake, received: datetime) -> None:
    event = page_view(at=received + timedelta(days=2))
    for minutes in (0, 1):
        await intake.store(intake.delivery(event, received=received + timedelta(minutes=minutes)))
    assert await intake.rows("SELECT timestamp, claimed_at FROM events WHERE tenant_id = :tenant") == [
        (received, received + timedelta(days=2))
    ]


async def test_an_event_without_a_time_is_stored_once(intake: Intake, received: datetime) -> None:
    event = {**page_view(), "timestamp": None}
    for minutes in (0, 30):
        await intake.store(intake.delivery(event, received=received + timedelta(minutes=minutes)))
    assert await intake.rows("SELECT timestamp FROM events WHERE tenant_id = :tenant") == [(received,)]


async def test_equal_ids_of_two_tenants_are_two_events(intake: Intake) -> None:
    other = await intake.running.source()
    event = page_view()
    await intake.store(intake.delivery(event))
    theirs = intake.delivery(event, tenant_id=other.tenant.id, project_id=other.project.id)
    assert len((await intake.pipeline.run(other.tenant.id, [theirs])).events) == 1


async def test_two_workers_that_race_with_copies_store_each_event_once(
    intake: Intake, make_intake: MakeIntake, received: datetime
) -> None:
    other = await make_intake(like=intake)
    events = [page_view(at=received - timedelta(seconds=number)) for number in range(200)]

    async def store(worker: Intake, order: list[int], skew: timedelta) -> None:
        for start in range(0, 200, 20):
            part = [events[place] for place in order[start : start + 20]]
            await worker.store(worker.delivery(*part, received=received, sent=received + skew))

    forwards, backwards = list(range(200)), list(reversed(range(200)))
    await asyncio.gather(
        store(intake, forwards, timedelta(0)),
        store(other, backwards, timedelta(0)),
        store(intake, backwards, timedelta(minutes=2)),
        store(other, forwards, timedelta(minutes=-2)),
    )
    assert await intake.value("SELECT count(DISTINCT message_id) FROM events WHERE tenant_id = :tenant") == 200
    assert await intake.stored() == 200
    assert await intake.ledger() == {"stored": 200, "duplicate": 600}


async def test_two_workers_with_the_same_delivery_store_it_once(intake: Intake, make_intake: MakeIntake) -> None:
    other = await make_intake(like=intake)
    deliveries = [intake.delivery(page_view(), page_view()) for _ in range(20)]
    await asyncio.gather(intake.store(*deliveries), other.store(*reversed(deliveries)))
    assert await intake.ledger() == {"stored": 40}


async def test_a_rehearsal_leaves_nothing(intake: Intake) -> None:
    delivery = intake.delivery(page_view())
    await intake.pipeline.run(intake.tenant_id, [delivery], rehearse=True)
    assert (await intake.stored(), await intake.ledger()) == (0, {})
    await intake.store(delivery)
    assert await intake.stored() == 1


async def test_a_replay_of_a_delivery_is_a_new_delivery_of_the_same_events(intake: Intake) -> None:
    delivery = intake.delivery(page_view())
    await intake.store(delivery)
    replayed = await intake.store(msgspec.structs.replace(delivery, replays=1))
    assert (len(replayed.events), replayed.duplicates) == (0, 1)


async def test_nothing_is_stored_of_a_tenant_that_is_gone(intake: Intake) -> None:
    gone = 999_999
    stored = await intake.pipeline.run(gone, [intake.delivery(page_view(), tenant_id=gone)])
    assert len(stored.events) == 0


async def test_events_of_long_ago_are_stored_too(intake: Intake, received: datetime) -> None:
    for years in (-20, -1):
        await intake.send(page_view(at=received + timedelta(days=365 * years)))
    assert await intake.stored() == 2
