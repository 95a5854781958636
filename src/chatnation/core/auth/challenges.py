"""Steps that are not finished: what was shown so far, what is asked now, and how often one may still try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.login_steps import Proof
from chatnation.core.auth.one_time import hash_token, new_token
from chatnation.core.storage.models import login_challenges as challenges

MOST_TRIES = 5
RESEND_AFTER = timedelta(seconds=60)
SET_UP = "set_up"
"""The purpose of a challenge before a new second factor; the others are pending steps of a login."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a login has come. `second_factor` is what was shown, `device` for a remembered one."""

    tenant_id: int
    user_id: int
    proof: Proof
    program: bool = False
    second_factor: str | None = None
    taken_over: bool = False
    return_to: str = "/"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A pending step. `factor` is what the code of `code_hash` was sent through."""

    token_hash: bytes
    purpose: str
    progress: Progress
    factor: str | None
    code_hash: bytes | None
    sealed: str | None
    tries: int
    sent_at: datetime | None

    @property
    def tries_left(self) -> int:
        return MOST_TRIES - self.tries


async def pose(
    connection: AsyncConnection, purpose: str, progress: Progress, expires_at: datetime, now: datetime, **columns: Any
) -> str:
    """Write a pending step down; gives the token that answers it. An earlier one of that user and purpose stays."""
    token = new_token()
    await connection.execute(
        insert(challenges).values(
            token_hash=hash_token(token),
            tenant_id=progress.tenant_id,
            user_id=progress.user_id,
            purpose=purpose,
            proof=str(progress.proof),
            program=progress.program,
            second_factor=progress.second_factor,
            taken_over=progress.taken_over,
            return_to=progress.return_to,
            created_at=now,
            expires_at=expires_at,
            **columns,
        )
    )
    return token


async def find(connection: AsyncConnection, token: str, now: datetime, *purposes: str) -> Challenge | None:
    """The pending step of a token, locked until the transaction ends; None when it is over or used up."""
    return await _find(connection, challenges.c.token_hash == hash_token(token), now, purposes)


async def find_by_link(connection: AsyncConnection, token: str, now: datetime, *purposes: str) -> Challenge | None:
    """The pending step of the token in a mailed link, as `find`."""
    return await _find(connection, challenges.c.link_hash == hash_token(token), now, purposes)


async def count_try(connection: AsyncConnection, challenge: Challenge) -> int:
    """Count a wrong answer; gives how many tries are left. With none the step is gone."""
    if challenge.tries_left <= 1:
        await drop(connection, challenge)
        return 0
    this = challenges.c.token_hash == challenge.token_hash
    await connection.execute(update(challenges).where(this).values(tries=challenges.c.tries + 1))
    return challenge.tries_left - 1


async def change(connection: AsyncConnection, challenge: Challenge, **columns: Any) -> None:
    """Write down that another code was sent."""
    this = challenges.c.token_hash == challenge.token_hash
    await connection.execute(update(challenges).where(this).values(columns))


async def drop(connection: AsyncConnection, challenge: Challenge) -> None:
    """Forget a step that was answered, or given up."""
    await connection.execute(delete(challenges).where(challenges.c.token_hash == challenge.token_hash))


async def drop_all(connection: AsyncConnection, user_id: int, *purposes: str) -> None:
    """Forget the user's pending steps of these purposes."""
    mine = (challenges.c.user_id == user_id) & challenges.c.purpose.in_(purposes)
    await connection.execute(delete(challenges).where(mine))


async def last_sent(connection: AsyncConnection, user_id: int, purpose: str) -> datetime | None:
    """When the last code for this purpose was sent to the user, as far as its step is still there."""
    mine = (challenges.c.user_id == user_id) & (challenges.c.purpose == purpose)
    last: datetime | None = await connection.scalar(select(func.max(challenges.c.sent_at)).where(mine))
    return last


async def remove_ended_challenges(connection: AsyncConnection, now: datetime) -> int:
    """Delete steps that nobody finished in time; gives how many."""
    return (await connection.execute(delete(challenges).where(challenges.c.expires_at <= now))).rowcount


async def _find(
    connection: AsyncConnection, matches: ColumnElement[bool], now: datetime, purposes: tuple[str, ...]
) -> Challenge | None:
    valid = (challenges.c.expires_at > now) & (challenges.c.tries < MOST_TRIES) & challenges.c.purpose.in_(purposes)
    row = (await connection.execute(select(challenges).where(matches, valid).with_for_update())).one_or_none()
    if row is None:
        return None
    return Challenge(
        token_hash=row.token_hash,
        purpose=row.purpose,
        progress=Progress(
            row.tenant_id,
            row.user_id,
            Proof(row.proof),
            row.program,
            row.second_factor,
            row.taken_over,
            row.return_to,
        ),
        factor=row.factor,
        code_hash=row.code_hash,
        sealed=row.sealed,
        tries=row.tries,
        sent_at=row.sent_at,
    )
