"""Background tasks end when they are told to, even when something in them swallows the first request."""

from __future__ import annotations

import asyncio

from chatnation.core import tasks


async def test_a_task_that_takes_a_cancellation_for_another_error_is_ended_all_the_same() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(tasks.end(task), timeout=10)
    assert task.cancelled()
    assert swallowed == 1


async def test_tasks_that_failed_or_finished_before_are_no_trouble() -> None:
    async def fail() -> None:
        raise ValueError("before")

    async def finish() -> None:
        return

    both = [asyncio.create_task(fail()), asyncio.create_task(finish())]
    await asyncio.wait(both)
    await tasks.end(*both)
