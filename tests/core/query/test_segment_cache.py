"""What is kept between questions stays within its bounds, and is made once."""

from __future__ import annotations

import asyncio

import pytest

from chatnation.core.query.segments.cache import Cache

pytestmark = pytest.mark.anyio


async def test_what_was_not_used_for_longest_goes_first() -> None:
    cache = Cache(100)
    for key in "abcd":
        cache.put(key, key.upper(), 25)
    assert cache.get("a") == "A"
    cache.put("e", "E", 30)
    assert [cache.get(key) for key in "abcde"] == ["A", None, None, "D", "E"]
    assert cache.size == 80


async def test_a_new_value_takes_the_place_of_the_old_one() -> None:
    cache = Cache(100)
    cache.put("a", 1, 40)
    cache.put("a", 2, 30)
    assert (cache.get("a"), cache.size) == (2, 30)


async def test_what_is_too_large_is_not_kept_and_drives_nothing_out() -> None:
    cache = Cache(100)
    cache.put("a", 1, 40)
    cache.put("b", 2, 51)
    assert (cache.get("a"), cache.get("b")) == (1, None)


async def test_who_asks_at_the_same_time_waits_for_one_who_makes_it() -> None:
    cache, made, go = Cache(100), [], asyncio.Event()

    async def make() -> tuple[str, int]:
        made.append(1)
        await go.wait()
        return "value", 10

    asking = [asyncio.create_task(cache.once("key", make)) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asking) == ["value"] * 5
    assert len(made) == 1


async def test_the_next_one_tries_where_the_first_one_gave_up() -> None:
    cache, waiting = Cache(100), asyncio.Event()

    async def never() -> tuple[str, int]:
        waiting.set()
        await asyncio.Event().wait()
        return "never", 1

    async def make() -> tuple[str, int]:
        return "value", 10

    first = asyncio.create_task(cache.once("key", never))
    await waiting.wait()
    second = asyncio.create_task(cache.once("key", make))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "value"


async def test_a_failure_is_the_failure_of_the_one_who_tried() -> None:
    cache = Cache(100)

    async def fail() -> tuple[str, int]:
        raise LookupError

    with pytest.raises(LookupError):
        await cache.once("key", fail)
    assert cache.get("key") is None
