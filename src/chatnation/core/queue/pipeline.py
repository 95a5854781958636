"""Commands that go out at once, on one connection, without waiting for the replies to earlier ones."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisError, ResponseError

from chatnation.core import tasks

Argument = bytes | str | int
_LARGE = 4_000
Replies = deque[asyncio.Future[Any]]


class Pipeline:
    """One connection of redis-py's, so that addresses, TLS and passwords are its business.

    redis-py itself holds a connection for the length of a round trip, and takes more of the processor for one than the
    server does for the append. Here the bytes are with the kernel when `send` returns, and replies are matched in
    order. A command whose reply is lost with the connection fails; whether the server carried it out is unknown.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        self._pool = ConnectionPool.from_url(
            url, socket_timeout=None, socket_connect_timeout=timeout, retry=Retry(NoBackoff(), 0)
        )
        self._timeout = timeout
        self._opening = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._replies: Replies = deque()
        self._reading: asyncio.Task[None] | None = None

    def send(self, *command: Argument) -> Awaitable[Any]:
        """Send a command now, or as soon as there is a connection; gives what waits for its reply.

        That raises RedisError when the server refuses the command, or OSError and RedisError when it is out of reach.
        """
        connection = self._connection
        if connection is None:
            return self._open_and_send(command)
        return self._reply(self._write(connection, command))

    async def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            await tasks.end(self._reading)

    def _write(self, connection: AbstractConnection, command: tuple[Argument, ...]) -> asyncio.Future[Any]:
        # `send_packed_command` is a coroutine: it would write when its task has its turn, after other requests'.
        writer = connection._writer
        assert writer is not None
        reply = asyncio.get_running_loop().create_future()
        self._replies.append(reply)
        writer.writelines(packed(command))
        return reply

    async def _reply(self, reply: asyncio.Future[Any]) -> Any:
        try:
            async with asyncio.timeout(self._timeout):
                return await reply
        except TimeoutError:
            if self._reading is not None:
                self._reading.cancel()  # Replies would be matched wrongly from here on.
            raise

    async def _open_and_send(self, command: tuple[Argument, ...]) -> Any:
        async with self._opening:
            connection = self._connection or await self._open()
            reply = self._write(connection, command)
        return await self._reply(reply)

    async def _open(self) -> AbstractConnection:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        await connection.connect()  # type: ignore[no-untyped-call]
        self._connection, self._replies = connection, deque()
        self._reading = asyncio.create_task(self._read(connection, self._replies))
        return connection

    async def _read(self, connection: AbstractConnection, replies: Replies) -> None:
        """Hand out replies as they come, until the connection is lost."""
        error: Exception = ConnectionLost("the connection was closed")
        try:
            while True:
                try:
                    value = await connection.read_response()
                except ResponseError as refused:
                    _settle(replies.popleft(), refused)
                else:
                    _settle(replies.popleft(), None, value)
        except (RedisError, OSError) as lost:
            error = lost
        finally:
            if self._connection is connection:
                self._connection = None
            for reply in replies:
                _settle(reply, error)
            await connection.disconnect(nowait=True)


def packed(command: Sequence[Argument]) -> list[bytes]:
    """A command as the server reads it; arguments that are large are not copied.

    redis-py packs commands too, at several times the cost.
    """
    buffers: list[bytes] = []
    text = b"*%d\r\n" % len(command)
    for argument in command:
        value = argument if isinstance(argument, bytes) else str(argument).encode()
        text += b"$%d\r\n" % len(value)
        if len(value) > _LARGE:
            buffers += (text, value)
            text = b"\r\n"
        else:
            text += value + b"\r\n"
    buffers.append(text)
    return buffers


def _settle(reply: asyncio.Future[Any], error: Exception | None, value: Any = None) -> None:
    if reply.done():  # Nobody waits for it any more.
        return
    if error is None:
        reply.set_result(value)
    else:
        reply.set_exception(error)
