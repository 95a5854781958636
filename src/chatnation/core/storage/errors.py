"""How a database that is away shows itself, whichever layer noticed it first."""

from __future__ import annotations

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chatnation.core.errors import ChatnationError

_STARTING_OR_STOPPING = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


class DatabaseUnavailable(ChatnationError):
    """The database cannot be reached, is starting or stopping, or has no connection to spare. Trying again may help."""


def is_lost(error: BaseException) -> bool:
    """Whether `error`, raised by a statement, means that the database went away, not that the statement is wrong."""
    if isinstance(error, DBAPIError):
        # SQLAlchemy wraps the driver's errors; what asyncpg raised is the cause.
        cause = error.orig.__cause__ if error.orig else None
        return error.connection_invalidated or (cause is not None and is_lost(cause))
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    return isinstance(error, _STARTING_OR_STOPPING)


def is_unstorable_text(error: BaseException) -> bool:
    """Whether a statement was refused for a text that PostgreSQL cannot hold, which is one with a NUL in it."""
    cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
    return isinstance(cause, (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError))


def is_unreachable(error: BaseException) -> bool:
    """Whether `error`, raised by connecting, means that nobody answers or that no connection is free."""
    return is_lost(error) or isinstance(error, (PoolTimeout, OSError))
