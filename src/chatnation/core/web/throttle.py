"""How often somebody may try to sign in."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from chatnation.core.errors import Problem

if TYPE_CHECKING:
    from redis.asyncio import Redis

PER_ADDRESS = RateLimitItemPerMinute(30, 1, namespace="sign-in-address")
"""Attempts from one IP address; an office may share one."""
PER_ACCOUNT = RateLimitItemPerMinute(10, 15, namespace="sign-in-account")
"""Attempts at one e-mail address, right ones forgotten; known or not, so that nobody learns which are known."""


class Throttle:
    """Counts attempts in Redis, so that all processes count together."""

    def __init__(self, redis: Redis) -> None:
        options: dict[str, Any] = {"connection_pool": redis.connection_pool}
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="throttle", **options)
        self._limiter = MovingWindowRateLimiter(storage)

    async def admit(self, address: str, account: str) -> None:
        """Count an attempt; raises 429 with Retry-After when there were too many."""
        await self._hit(PER_ADDRESS, address)
        await self._hit(PER_ACCOUNT, _named(account))

    async def forget(self, account: str) -> None:
        """Drop the attempts at an account, because one was right."""
        await self._limiter.clear(PER_ACCOUNT, _named(account))

    async def _hit(self, limit: RateLimitItem, name: str) -> None:
        if await self._limiter.hit(limit, name):
            return
        window = await self._limiter.get_window_stats(limit, name)
        seconds = max(1, round(window.reset_time - time.time()))
        minutes = -(-seconds // 60)
        raise Problem(
            429,
            "too_many_attempts",
            f"There were too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
            headers={"Retry-After": str(seconds)},
        )


def _named(account: str) -> str:
    """The account's name in Redis; hashed, because what people type there may be anything, even a password."""
    return hashlib.sha256(account.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()[:32]
