"""How often somebody may try: to sign in, to answer with a code, to have one sent, to sign up."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from chatnation.core.errors import Problem

if TYPE_CHECKING:
    from redis.asyncio import Redis


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is allowed from one IP address, which an office may share, and at one account, known or not."""

    per_address: RateLimitItem
    per_account: RateLimitItem | None


class Attempt(Enum):
    """What is counted. Right passwords and codes are forgotten again, so that only wrong ones add up."""

    LOGIN = Allowance(
        RateLimitItemPerMinute(30, 1, namespace="login-address"), RateLimitItemPerMinute(10, 15, namespace="login")
    )
    CODE = Allowance(
        RateLimitItemPerMinute(30, 1, namespace="code-address"), RateLimitItemPerMinute(10, 15, namespace="code")
    )
    MESSAGE = Allowance(
        RateLimitItemPerHour(100, 1, namespace="message-address"), RateLimitItemPerHour(10, 1, namespace="message")
    )
    """A code or link is sent once more."""
    RESET = Allowance(
        RateLimitItemPerHour(30, 1, namespace="reset-address"), RateLimitItemPerHour(5, 1, namespace="reset")
    )
    """A link to a new password is asked for."""
    LINK = Allowance(RateLimitItemPerMinute(30, 1, namespace="link-address"), None)
    """A link with a token is opened: reset, invitation, take-over."""
    REFRESH = Allowance(RateLimitItemPerMinute(600, 1, namespace="refresh-address"), None)
    """A program exchanges its refresh token; many may share an address."""
    SIGNUP = Allowance(
        RateLimitItemPerHour(20, 1, namespace="signup-address"), RateLimitItemPerHour(5, 1, namespace="signup")
    )


class Throttle:
    """Counts attempts in Redis, so that all processes count together."""

    def __init__(self, redis: Redis) -> None:
        options: dict[str, Any] = {"connection_pool": redis.connection_pool}
        storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="throttle", **options)
        self._limiter = MovingWindowRateLimiter(storage)

    async def seconds_to_wait(self, attempt: Attempt, address: str | None, account: str | int = "") -> int:
        """Count an attempt; 0 when it may go on, else the seconds until one may."""
        allowed = attempt.value
        named = [(allowed.per_address, address or "unknown")]
        if allowed.per_account is not None and account != "":
            named.append((allowed.per_account, _named(account)))
        for limit, name in named:
            if not await self._limiter.hit(limit, name):
                window = await self._limiter.get_window_stats(limit, name)
                return max(1, round(window.reset_time - time.time()))
        return 0

    async def admit(self, attempt: Attempt, address: str | None, account: str | int = "") -> None:
        """Count an attempt; raises 429 with Retry-After when there were too many."""
        seconds = await self.seconds_to_wait(attempt, address, account)
        if seconds:
            raise too_many(seconds)

    async def forget(self, attempt: Attempt, account: str | int) -> None:
        """Drop the attempts at an account, because one was right."""
        if attempt.value.per_account is not None:
            await self._limiter.clear(attempt.value.per_account, _named(account))


def too_many(seconds: int) -> Problem:
    """The 429 that says when to come back."""
    minutes = -(-seconds // 60)
    return Problem(
        429,
        "too_many_attempts",
        f"There were too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}.",
        headers={"Retry-After": str(seconds)},
    )


def _named(account: str | int) -> str:
    """The account's name in Redis; hashed, because what people type there may be anything, even a password."""
    return hashlib.sha256(str(account).strip().lower().encode("utf-8", "surrogatepass")).hexdigest()[:32]
