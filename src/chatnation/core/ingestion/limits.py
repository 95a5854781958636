"""Rate limits that cost no round trip: decided in the process, shared with the others through Redis in the background.

The `limits` library asks its storage on every hit; here a hit is two dictionary look-ups. A busy counter's figure is
added up over all processes several times a second, so together they overshoot by what arrives in that time.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

WINDOW_SECONDS = 60
SHARE_SECONDS = 0.25
_WORTH_SHARING = 100
"""A counter is shared once this process alone has used the hundredth part of the limit."""
_MOST_COUNTERS = 200_000


@dataclass(slots=True)
class _Counter:
    """Hits of one window. `others` is what other processes counted, `told` what they know of ours."""

    hits: int = 0
    others: int = 0
    told: int = 0


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """How a caller stands: whether it may go on, how much is left in this window, and when to come back otherwise."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


class RateLimit:
    """At most `limit` hits a minute for each name, over a sliding window: the current minute's hits plus those of the
    part of the last minute that is still within sixty seconds. No limit if it is 0.
    """

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit
        self._window = 0
        self._current: dict[str, _Counter] = {}
        self._previous: dict[str, _Counter] = {}

    def hit(self, who: str, now: float) -> Allowance:
        """Count a request of `who` at `now` (Unix time in seconds) and say whether it may pass."""
        passed = now - self._window * WINDOW_SECONDS
        if not 0 <= passed < WINDOW_SECONDS:
            self._turn(int(now // WINDOW_SECONDS))
            passed = now - self._window * WINDOW_SECONDS
        counter = self._current.get(who)
        if counter is None:
            if len(self._current) >= _MOST_COUNTERS:
                self._current.clear()
            counter = self._current[who] = _Counter()
        earlier = 0.0
        if self._previous and (before := self._previous.get(who)) is not None:
            earlier = (before.hits + before.others) * (1 - passed / WINDOW_SECONDS)
        used = earlier + counter.hits + counter.others
        if self.limit and used >= self.limit:
            return Allowance(False, self.limit, 0, self._wait(earlier, counter, passed))
        counter.hits += 1
        return Allowance(True, self.limit, int(self.limit - used - 1), math.ceil(WINDOW_SECONDS - passed))

    def untold(self) -> dict[str, int]:
        """Hits of this window that other processes do not know yet, of counters that are worth their while."""
        least = max(1, self.limit // _WORTH_SHARING)
        return {
            who: counter.hits - counter.told
            for who, counter in self._current.items()
            if self.limit and counter.hits >= least
        }

    def tell(self, who: str, window: int, hits: int, total: int) -> None:
        """Take note that `hits` of ours were added to the shared counter, which now stands at `total`."""
        counter = self._current.get(who)
        if counter is not None and window == self._window:
            counter.told += hits
            counter.others = total - counter.told

    @property
    def window(self) -> int:
        """Number of the current window."""
        return self._window

    def _wait(self, earlier: float, counter: _Counter, passed: float) -> int:
        """Seconds until the next hit would pass, if nobody else came."""
        hits = counter.hits + counter.others
        left = WINDOW_SECONDS - passed
        if hits < self.limit:  # Last minute's share has to shrink to what this minute leaves.
            wait = (1 - (self.limit - hits) / earlier) * left
        else:  # And this minute's share, in the next one.
            wait = left + (1 - self.limit / hits) * WINDOW_SECONDS
        return math.floor(wait) + 1

    def _turn(self, window: int) -> None:
        self._previous = self._current if window == self._window + 1 else {}
        self._current = {}
        self._window = window


class SharedLimits:
    """Adds up rate limits over all processes until stopped. While Redis is away each process counts for itself."""

    def __init__(self, redis: Redis, *limits: RateLimit) -> None:
        self._redis = redis
        self._limits = limits

    async def run(self) -> None:
        """Share until cancelled."""
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            with suppress(RedisError, OSError):
                await self.share()

    async def share(self) -> None:
        """Bring every busy counter up to date, once."""
        for limit in self._limits:
            untold = limit.untold()
            if not untold:
                continue
            window = limit.window
            pipeline = self._redis.pipeline(transaction=False)
            for who, hits in untold.items():
                key = f"analytics:limit:{limit.name}:{who}:{window}"
                pipeline.incrby(key, hits)
                pipeline.expire(key, 2 * WINDOW_SECONDS)
            replies = await pipeline.execute()
            for (who, hits), total in zip(untold.items(), replies[::2], strict=True):
                limit.tell(who, window, hits, int(total))
