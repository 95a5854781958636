"""Received = stored + duplicate + dead + rejected + queued."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from chatnation import Delivery, IngestLedger, Storage, uuid7
from chatnation.core.ingestion.ledger import Balance, Ledger, Tally, add_to_ledger, minute_of
from chatnation.core.ingestion.ledger_copy import LedgerCopier
from chatnation.core.ingestion.ledger_notes import LedgerNotes
from chatnation.core.queue import keys
from chatnation.core.queue.redis import RedisQueue
from chatnation.testing import track
from chatnation.testing.apps import RunningApp
from chatnation.testing.servers import SharedServers
from tests.core.ingestion.conftest import Desk, place_desk

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)
DAY = (NOON - timedelta(days=1), NOON + timedelta(days=1))
PROJECT = 7


@pytest.fixture
async def redis_url(servers: SharedServers) -> str:
    return await servers.redis_database()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
async def queue(redis_url: str) -> AsyncIterator[RedisQueue]:
    queue = RedisQueue(redis_url, max_events=1000, base_name="here", partitions=2)
    yield queue
    await queue.close()


def delivery(tenant_id: int, count: int) -> Delivery:
    return Delivery(uuid7().bytes, tenant_id, PROJECT, NOON_MS, count, b'{"batch":[]}')


async def test_what_redis_counts_is_copied_as_often_as_one_likes(
    redis: Redis, queue: RedisQueue, storage: Storage, tenant_id: int
) -> None:
    notes, copier, ledger = LedgerNotes(redis), LedgerCopier(redis, storage, 2), Ledger(storage)
    await queue.publish(0, [delivery(tenant_id, 5)])
    await queue.publish(1, [delivery(tenant_id, 3)])
    notes.reject(tenant_id, PROJECT, NOON_MS, "missing_event_name", {"message": "no name"}, 2)
    notes.turn_away(tenant_id, PROJECT, NOON_MS, "rate_limited", {})
    await notes.write()

    for _ in range(3):
        assert await copier.copy()
    assert await ledger.balances(tenant_id, *DAY) == [
        Balance(PROJECT, received=10, rejected=2, queued=8, turned_away=1),
    ]

    await queue.acknowledge(await queue.read(0, max_events=100, wait_ms=1))
    async with storage.tenant(tenant_id) as connection:
        minute = minute_of(NOON_MS)
        tallies = [Tally(tenant_id, PROJECT, minute, "stored", 4), Tally(tenant_id, PROJECT, minute, "duplicate", 1)]
        await add_to_ledger(connection, tallies)
    await copier.copy()

    (balance,) = await ledger.balances(tenant_id, *DAY)
    assert (balance.stored, balance.duplicate, balance.queued, balance.missing) == (4, 1, 3, 0)


async def test_a_rejection_is_told_with_its_reason_and_latest_sample(
    redis: Redis, storage: Storage, tenant_id: int
) -> None:
    notes, copier = LedgerNotes(redis), LedgerCopier(redis, storage, 1)
    for reason, sample in (("a", {"n": 1}), ("b", {"n": 2}), ("b", {"n": 3})):
        notes.reject(tenant_id, PROJECT, NOON_MS, reason, sample)
    await notes.write()
    await copier.copy()
    notes.reject(tenant_id, PROJECT, NOON_MS + 60_000, "b", {"n": 4})
    await notes.write()
    await copier.copy()

    found = await Ledger(storage).rejections(tenant_id, *DAY)

    assert [(summary.reason, summary.count, summary.sample) for summary in found] == [
        ("b", 3, {"n": 4}),
        ("a", 1, {"n": 1}),
    ]
    assert found[0].last_minute == NOON + timedelta(minutes=1)


async def test_minutes_that_a_killed_copier_had_taken_are_copied_by_the_next(
    redis: Redis, queue: RedisQueue, storage: Storage, tenant_id: int
) -> None:
    await queue.publish(0, [delivery(tenant_id, 5)])
    await redis.rename(keys.changed_minutes(0), keys.copied_minutes(0))

    await LedgerCopier(redis, storage, 1).copy()

    (balance,) = await Ledger(storage).balances(tenant_id, *DAY)
    assert balance.received == 5


async def test_counts_are_kept_while_events_wait_and_forgotten_later(
    redis: Redis, queue: RedisQueue, storage: Storage, tenant_id: int
) -> None:
    counts = f"{keys.ledger(0)}{NOON_MS // 60_000}"
    copier = LedgerCopier(redis, storage, 1)
    await queue.publish(0, [delivery(tenant_id, 5)])
    await copier.copy()
    assert await redis.ttl(counts) == -1

    await queue.acknowledge(await queue.read(0, max_events=100, wait_ms=1))
    await copier.copy()
    assert await redis.ttl(counts) > 86_400


async def test_notes_survive_while_redis_is_away(redis: Redis) -> None:
    away = Redis.from_url("unix:///tmp/there-is-no-valkey-here.sock")
    notes = LedgerNotes(away)
    notes.reject(1, PROJECT, NOON_MS, "a", {}, 2)
    await notes.write()
    notes.reject(1, PROJECT, NOON_MS, "a", {}, 3)
    notes._redis = redis
    await notes.write()
    await notes.write()

    assert await redis.hget(f"{keys.ledger(0)}{NOON_MS // 60_000}", f"1/{PROJECT}/rejected/a") == b"5"
    await away.aclose()


async def test_everything_that_comes_in_is_accounted_for(shared_app: RunningApp) -> None:
    desk = await place_desk(shared_app)
    ledger = shared_app.app.services.get(IngestLedger)
    again = {"batch": [track("twice"), track("twice too")], "sent_at": None}
    await desk.capture(again)
    await desk.capture(again)
    await desk.capture({"batch": [track("good"), {"bad": 1}, {"bad": 2}], "sent_at": None})
    await desk.capture(b"{nonsense")
    waiting = Balance(desk.source.project.id, received=8, rejected=3, queued=5)

    assert await balance_of(desk, ledger, waiting) == waiting

    await shared_app.drain()
    settled = Balance(desk.source.project.id, received=8, rejected=3, stored=3, duplicate=2)
    assert await balance_of(desk, ledger, settled) == settled
    assert settled.missing == 0
    reasons = await ledger.rejections(desk.source.tenant.id, *_hour())
    assert {(found.reason, found.count) for found in reasons} == {("missing_event_name", 2), ("invalid_json", 1)}
    sample = next(found.sample for found in reasons if found.reason == "missing_event_name")
    assert sample is not None
    assert sample["shape"] == {"bad": "number"}


async def balance_of(desk: Desk, ledger: IngestLedger, expected: Balance) -> Balance | None:
    """The project's balance, once it is as expected or time is up."""
    deadline = time.monotonic() + 15
    while True:
        found = await ledger.balances(desk.source.tenant.id, *_hour())
        if found == [expected] or time.monotonic() > deadline:
            return found[0] if found else None
        await asyncio.sleep(0.1)


def _hour() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now - timedelta(hours=1), now + timedelta(hours=1)
