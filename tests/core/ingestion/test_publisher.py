"""Deliveries of concurrent requests share an append."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from chatnation import Delivery, Entry, uuid7
from chatnation.core.errors import QueueUnavailable
from chatnation.core.ingestion.publisher import Publisher


class Log:
    """An `EventQueue` whose appends end when the test says so."""

    def __init__(self) -> None:
        self.groups: list[list[Delivery]] = []
        self.gate = asyncio.Event()
        self.error: Exception | None = None

    async def publish(self, partition: int, deliveries: Sequence[Delivery]) -> None:
        self.groups.append(list(deliveries))
        await self.gate.wait()
        if self.error is not None:
            raise self.error

    async def read(self, partition: int, *, max_events: int, wait_ms: int) -> list[Entry]:
        return []

    async def claim(self, partition: int, *, idle_ms: int, max_events: int) -> list[Entry]:
        return []

    async def acknowledge(self, entries: Sequence[Entry]) -> None: ...

    async def depth(self) -> Mapping[int, int]:
        return {}

    async def close(self) -> None: ...


def delivery(size: int = 1) -> Delivery:
    return Delivery(uuid7().bytes, 1, 1, 0, 1, b"x" * size)


async def turns(count: int = 10) -> None:
    """Let the event loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_requests_of_one_turn_share_an_append_and_later_ones_wait_for_the_next() -> None:
    log = Log()
    publisher = Publisher(log, in_flight=1)
    tasks = [asyncio.create_task(publisher.publish(0, delivery())) for _ in range(5)]
    await turns()
    tasks += [asyncio.create_task(publisher.publish(0, delivery())) for _ in range(3)]
    await turns()
    assert [len(group) for group in log.groups] == [5]
    assert not any(task.done() for task in tasks)

    log.gate.set()
    await asyncio.gather(*tasks)

    assert [len(group) for group in log.groups] == [5, 3]


async def test_so_many_appends_are_under_way_and_no_more() -> None:
    log = Log()
    publisher = Publisher(log, in_flight=2)
    tasks = []
    for _ in range(4):
        tasks.append(asyncio.create_task(publisher.publish(0, delivery())))
        await turns()
    assert [len(group) for group in log.groups] == [1, 1]

    log.gate.set()
    await asyncio.gather(*tasks)

    assert [len(group) for group in log.groups] == [1, 1, 2]


async def test_many_requests_of_one_turn_do_not_wait_for_its_end() -> None:
    log = Log()
    log.gate.set()
    publisher = Publisher(log, in_flight=2, group=3)
    await asyncio.gather(*(publisher.publish(0, delivery()) for _ in range(10)))

    assert [len(group) for group in log.groups] == [3, 3, 4], "what comes while enough is under way waits together"


async def test_partitions_do_not_wait_for_each_other() -> None:
    log = Log()
    publisher = Publisher(log, in_flight=1)
    tasks = [asyncio.create_task(publisher.publish(partition, delivery())) for partition in (0, 1)]
    await turns()

    assert len(log.groups) == 2
    log.gate.set()
    await asyncio.gather(*tasks)


async def test_a_failed_append_fails_all_its_requests_and_the_next_moment_s() -> None:
    log, now = Log(), 0.0
    publisher = Publisher(log, now=lambda: now)
    log.gate.set()
    log.error = QueueUnavailable("away", retry_after=7)

    results = await asyncio.gather(*(publisher.publish(0, delivery()) for _ in range(3)), return_exceptions=True)
    assert [getattr(result, "retry_after", None) for result in results] == [7, 7, 7]
    with pytest.raises(QueueUnavailable, match="away"):
        await publisher.publish(0, delivery())
    assert len(log.groups) == 1, "the stream is not asked again at once"

    log.error, now = None, 1.0
    await publisher.publish(0, delivery())
    assert len(log.groups) == 2


async def test_a_request_that_was_given_up_costs_the_others_nothing() -> None:
    log = Log()
    publisher = Publisher(log)
    first, second = (asyncio.create_task(publisher.publish(0, delivery())) for _ in range(2))
    await turns()

    first.cancel()
    log.gate.set()

    await second
    assert first.cancelled()


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatnation.core.ingestion.publisher.MOST_WAITING_BYTES", 100)
    log = Log()
    publisher = Publisher(log)
    first = asyncio.create_task(publisher.publish(0, delivery(90)))
    await turns()

    with pytest.raises(QueueUnavailable, match="Too much"):
        await publisher.publish(0, delivery(20))

    log.gate.set()
    await first
    await publisher.publish(0, delivery(500))
