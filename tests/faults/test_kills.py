"""`kill -9` of everything that makes up an instance, in rounds, while clients send: nothing accepted is lost."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from redis.asyncio import Redis

from chatnation.core.embedded import EmbeddedServers
from chatnation.core.queue import keys
from chatnation.testing.instances import Instance, Part, new_instance
from chatnation.testing.servers import plain_url
from tests.faults import recount
from tests.faults.load import Load

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.faults

ENDS = ("stored", "duplicate", "dead", "rejected")
SHORT_SECONDS = 25.0
LONG_KILLS = int(os.environ.get("CHATNATION_FAULT_KILLS", "200"))
SEED = int(os.environ.get("CHATNATION_FAULT_SEED", str(random.randrange(1_000_000))))


@dataclass(frozen=True)
class Blow:
    """What is killed, and what stands still meanwhile, so that the victims die between two steps of theirs."""

    victims: tuple[Part, ...]
    frozen: Part | None = None


BLOWS = (
    Blow((Part.WORKER,)),
    Blow((Part.WEB,)),
    Blow((Part.VALKEY,)),
    Blow((Part.POSTGRES,)),
    Blow(tuple(Part)),
    Blow((Part.WORKER,), frozen=Part.VALKEY),  # has stored a batch and cannot acknowledge it
    Blow((Part.WORKER,), frozen=Part.POSTGRES),  # waits for a statement or the commit
    Blow((Part.WEB,), frozen=Part.VALKEY),  # has sent an entry and cannot answer
    Blow((Part.WORKER, Part.VALKEY)),
    Blow((Part.WEB, Part.POSTGRES)),
    Blow((Part.SUPERVISOR,)),
    Blow((Part.POSTGRES, Part.VALKEY)),
)


@pytest.fixture
def instance() -> Iterator[Instance]:
    quick = {"CHATNATION_RATE_LIMIT_PER_KEY": "0", "CHATNATION_RATE_LIMIT_PER_IP": "0"}
    with new_instance(environment=quick) as made:
        made.start()
        yield made


async def test_every_accepted_event_is_stored_once_whatever_is_killed(instance: Instance) -> None:
    rounds = Rounds(instance, seed=SEED)
    deadline = time.monotonic() + SHORT_SECONDS
    async with rounds.load.running():
        while time.monotonic() < deadline:
            await rounds.kill()
    await rounds.check()


@pytest.mark.long
async def test_every_accepted_event_is_stored_once_after_many_kills(instance: Instance) -> None:
    rounds = Rounds(instance, seed=SEED)
    async with rounds.load.running():
        while rounds.kills < LONG_KILLS:
            await rounds.kill()
    await rounds.check()


class Rounds:
    """Kills parts of an instance under load, one set a round, and checks what is left at the end."""

    def __init__(self, instance: Instance, *, seed: int) -> None:
        logger.info("seed %d", seed)
        self.instance = instance
        self.load = Load(instance.url, instance.write_key, seed=seed)
        self.kills = 0
        self._random = random.Random(seed)
        self._left = list(BLOWS)

    async def kill(self) -> None:
        """Let the load run for a moment, kill, and wait until events are accepted again."""
        await asyncio.sleep(self._random.uniform(0.05, 1.5))
        if not self._left:
            self._left = list(BLOWS)
        blow = self._left.pop(self._random.randrange(len(self._left)))
        await eventually(lambda: self._all_run(blow.victims), f"some of {blow.victims} do not come back")
        async with self._frozen(blow.frozen):
            await asyncio.to_thread(self.instance.kill, *blow.victims)
        self.kills += 1
        if Part.SUPERVISOR in blow.victims:
            await asyncio.to_thread(self.instance.start)
        await self.load.accepted_more(len(self.load.promises.accepted))

    async def _all_run(self, parts: tuple[Part, ...]) -> bool:
        return all(self.instance.processes(part) for part in parts)

    @asynccontextmanager
    async def _frozen(self, part: Part | None) -> AsyncIterator[None]:
        """Stop the processes of a part for a moment that is long enough for others to need an answer from it."""
        processes = self.instance.processes(part) if part else []
        for process in processes:
            process.suspend()
        if processes:
            await asyncio.sleep(self._random.uniform(0.2, 0.6))
        yield
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()

    async def check(self) -> None:
        promises = self.load.promises
        accepted, sent = len(promises.accepted), len(promises.sent)
        logger.info("%d kills, %d of %d events accepted, answers %s", self.kills, accepted, sent, promises.answers)
        assert promises.surprises == []
        async with self._servers() as (database, redis):
            await eventually(lambda: drained(redis), "the stream is not empty")
            ids = await recount.stored_ids(database)
            assert {message for message, count in ids.items() if count > 1} == set()
            assert promises.accepted - ids.keys() == set()
            assert ids.keys() - promises.sent == set()
            assert await recount.sessions_kept(database) == await recount.sessions_recounted(database)
            assert await recount.persons_kept(database) == await recount.persons_recounted(database)
            ledger = await settled_ledger(database)
            assert ledger["received"] == sum(ledger[end] for end in ENDS)
            assert ledger["queued"] == 0
            told, counted = await recount.stored_by_minute(database)
            assert told == counted
            assert ledger["dead"] == 0
            assert await database.fetchval("SELECT count(*) FROM projection_failures") == 0

    @asynccontextmanager
    async def _servers(self) -> AsyncIterator[tuple[asyncpg.Connection[Any], Redis]]:
        servers = EmbeddedServers(self.instance.data_dir)
        urls = await asyncio.to_thread(servers.start)
        # The superuser sees the rows of every tenant.
        url = urlsplit(plain_url(urls.superuser_url))._replace(path="/chatnation").geturl()
        database = await asyncpg.connect(url)
        try:
            async with Redis.from_url(urls.redis_url) as redis:
                yield database, redis
        finally:
            await database.close()
            await asyncio.to_thread(servers.stop)


async def drained(redis: Redis) -> bool:
    return await redis.xlen(keys.stream(0)) == 0


async def settled_ledger(database: asyncpg.Connection[Any], *, seconds: float = 15) -> Counter[str]:
    """The ledger once it adds up; as it is, if it still does not after so long."""
    deadline = time.monotonic() + seconds
    while True:
        ledger = await recount.ledger(database)
        settled = ledger["queued"] == 0 and ledger["received"] == sum(ledger[end] for end in ENDS)
        if settled or time.monotonic() > deadline:
            return ledger
        await asyncio.sleep(0.2)


async def eventually(condition: Callable[[], Awaitable[bool]], complaint: str, *, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, complaint
        await asyncio.sleep(0.1)
