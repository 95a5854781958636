"""Tells trouble that passes from events that cannot be stored."""

from __future__ import annotations

import asyncpg
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chatnation.core.errors import QueueUnavailable
from chatnation.core.ingestion.normalize import UnreadableDelivery
from chatnation.core.processing.stages import StageRefused
from chatnation.core.storage.errors import DatabaseUnavailable, is_lost

# Of PostgreSQL's error classes: connection, transaction state, rolled back by a rule of concurrency, access or a
# missing table, resources, object not in the needed state, operator's intervention, system error, internal error.
_NOT_OUR_DATA = frozenset({"08", "25", "40", "42", "53", "55", "57", "58", "XX"})
_BAD_DATA = frozenset({"22", "54"})
_AGAIN_AT_ONCE = frozenset({"40001", "40P01"})


def is_passing(error: BaseException) -> bool:
    """Whether the trouble is with the servers, not with the events: the same batch may do well later."""
    if isinstance(error, StageRefused):
        return error.broken
    if isinstance(error, (DatabaseUnavailable, QueueUnavailable, RedisError, PoolTimeout, OSError)) or is_lost(error):
        return True
    state = _sqlstate(error)
    return state is not None and state[:2] in _NOT_OUR_DATA


def ends_transaction(error: BaseException) -> bool:
    """Whether the storing transaction cannot go on after `error`, whoever in it raised it."""
    return isinstance(error, DatabaseUnavailable) or is_lost(error) or is_collision(error)


def is_collision(error: BaseException) -> bool:
    """Whether two transactions got into each other's way, so that trying again at once is right."""
    return _sqlstate(error) in _AGAIN_AT_ONCE


def is_bad_data(error: BaseException) -> bool:
    """Whether the event is certainly to blame; any other error might as well be a fault of ours."""
    state = _sqlstate(error)
    if state is not None:
        return state[:2] in _BAD_DATA
    return isinstance(error, (UnreadableDelivery, ValueError, OverflowError))


def _sqlstate(error: BaseException) -> str | None:
    if isinstance(error, DBAPIError):
        return getattr(error.orig, "sqlstate", None)
    return error.sqlstate if isinstance(error, asyncpg.PostgresError) else None
