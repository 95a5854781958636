"""A light load generator: raw keep-alive connections that write requests made beforehand and only count the answers.

`Generator` runs it as a process of its own, so that the one that measures does not slow it down; `Connection` alone
sends single requests, at the caller's pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import msgspec
import uvloop

ORIGIN = "https://itax.example.go.ke"
USER_AGENT = "Mozilla/5.0 (Linux; Android 14; SM-A145F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile"
STALLED_SECONDS = 30.0
IDLE_SECONDS = 2.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class Order(msgspec.Struct):
    """What a generator is asked to do: for so long, keep one request under way on each of the connections."""

    port: int
    requests: str
    connections: int
    seconds: float


class Count(msgspec.Struct):
    """What a generator saw: answers with status 200, other answers, and the seconds that all of them took."""

    accepted: int
    refused: int
    seconds: float


class Reply(NamedTuple):
    """An answer's status and when it was complete, on the clock of `time.perf_counter`."""

    status: int
    at: float


def capture_request(body: bytes, write_key: str) -> bytes:
    """The bytes of a request as the browser tracker sends it."""
    head = (
        "POST /v1/capture HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"User-Agent: {USER_AGENT}\r\n"
        "Content-Type: application/json\r\n"
        f"X-Write-Key: {write_key}\r\n"
        "Accept: */*\r\n"
        f"Origin: {ORIGIN}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """A keep-alive connection with at most one request under way."""

    def __init__(self) -> None:
        self._rest = b""
        self._reply: asyncio.Future[Reply] | None = None

    @classmethod
    async def open(cls, url: str) -> Connection:
        """Connect to the host and port of `url`."""
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 80
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        size = _answer_size(data)
        if len(data) < size:
            self._rest = data
            return
        self._rest = data[size:]
        self.answered(int(data[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(exc or ConnectionResetError("the server hung up"))

    def answered(self, status: int) -> None:
        """An answer is complete."""
        assert self._reply is not None
        self._reply.set_result(Reply(status, time.perf_counter()))

    async def send(self, request: bytes) -> Reply:
        """Send a request and wait for its answer."""
        self._reply = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._reply

    def close(self) -> None:
        self.transport.close()


class Pool:
    """Connections for requests that start when they are due, however long earlier ones take."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: list[tuple[Connection, float]] = []

    async def send(self, request: bytes) -> Reply:
        """Send over the connection that was used last, or over a new one."""
        connection = self._take() or await Connection.open(self._url)
        reply = await connection.send(request)
        self._idle.append((connection, reply.at))
        return reply

    def close(self) -> None:
        for connection, _ in self._idle:
            connection.close()

    def _take(self) -> Connection | None:
        """An idle connection that the server has no reason to close just now."""
        if not self._idle:
            return None
        connection, since = self._idle.pop()
        if time.perf_counter() - since < IDLE_SECONDS:
            return connection
        connection.close()  # The others are idle for longer still.
        self.close()
        self._idle.clear()
        return None


class Generator:
    """A generator in a process of its own, for one round of load after the other."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._encoder = msgspec.json.Encoder()

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls) -> AsyncIterator[Generator]:
        """Start the process, and end it with the block."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        with tempfile.TemporaryDirectory(prefix="chatnation-load-") as folder:
            try:
                yield cls(process, Path(folder))
            finally:
                assert process.stdin is not None
                process.stdin.close()
                await process.wait()

    def prepare(self, name: str, requests: Sequence[bytes]) -> str:
        """Keep requests for later rounds; gives what `round` calls them."""
        path = self._folder / name
        path.write_bytes(msgspec.msgpack.encode(requests))
        return str(path)

    async def round(self, port: int, requests: str, *, connections: int, seconds: float) -> Count:
        """Send the requests in turns for so long."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(self._encoder.encode(Order(port, requests, connections, seconds)) + b"\n")
        line = await asyncio.wait_for(stdout.readline(), seconds + 2 * STALLED_SECONDS)
        if not line:
            raise RuntimeError("the load generator ended")
        return msgspec.json.decode(line, type=Count)


class _Round:
    """Counts answers, and keeps connections busy until time is up."""

    def __init__(self, requests: Sequence[bytes]) -> None:
        self.requests = cycle(requests)
        self.ending = False
        self.accepted = self.refused = self.under_way = 0
        self.finished = asyncio.Event()

    async def run(self, port: int, connections: int, seconds: float) -> Count:
        loop = asyncio.get_running_loop()
        opened = [
            (await loop.create_connection(lambda: _Sender(self), "127.0.0.1", port))[1] for _ in range(connections)
        ]
        started = time.perf_counter()
        loop.call_later(seconds, setattr, self, "ending", True)
        for sender in opened:
            sender.next()
        await asyncio.wait_for(self.finished.wait(), seconds + STALLED_SECONDS)
        took = time.perf_counter() - started
        for sender in opened:
            sender.close()
        return Count(self.accepted, self.refused, took)


class _Sender(Connection):
    """A connection that sends the next request as soon as the last one is answered."""

    def __init__(self, of: _Round) -> None:
        super().__init__()
        self._round = of

    def next(self) -> None:
        self._round.under_way += 1
        self.transport.write(next(self._round.requests))

    def answered(self, status: int) -> None:
        of = self._round
        of.under_way -= 1
        if status == 200:
            of.accepted += 1
        else:
            of.refused += 1
        if not of.ending:
            self.next()
        elif not of.under_way:
            of.finished.set()


def _answer_size(data: bytes) -> int:
    """Bytes of the answer that `data` begins with; more than there are, while its head is not complete."""
    head = data.find(_HEAD_END)
    if head < 0:
        return len(data) + 1
    length = data.find(_LENGTH, 0, head)
    if length < 0:
        return head + 4
    return head + 4 + int(data[length + len(_LENGTH) : data.find(b"\r", length)])


async def _obey() -> None:
    """Do what the lines on standard input say, one at a time, and print what came of each."""
    loop = asyncio.get_running_loop()
    kept: dict[str, list[bytes]] = {}
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        order = msgspec.json.decode(line, type=Order)
        if order.requests not in kept:
            kept[order.requests] = _requests(Path(order.requests))
        count = await _Round(kept[order.requests]).run(order.port, order.connections, order.seconds)
        sys.stdout.buffer.write(msgspec.json.encode(count) + b"\n")
        sys.stdout.buffer.flush()


def _requests(path: Path) -> list[bytes]:
    return msgspec.msgpack.decode(path.read_bytes(), type=list[bytes])


if __name__ == "__main__":
    uvloop.run(_obey())
