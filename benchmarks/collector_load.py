"""The load generator: keeps connections busy with requests made beforehand, and counts the answers.

`python -m benchmarks.collector_load` reads a JSON object from standard input (`Load`) and prints one (`Result`).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

import msgspec
import uvloop

_LENGTH = b"content-length: "


class Load(msgspec.Struct):
    """What to do: `bodies` are posted in turn, over `connections` at once, for `seconds` after `warm_up`."""

    port: int
    path: str
    headers: dict[str, str]
    bodies: list[bytes]
    connections: int
    seconds: float
    warm_up: float


class Result(msgspec.Struct):
    """What came of it. `busy`: the share of a processor that the generator itself needed."""

    answers: int
    failures: int
    seconds: float
    busy: float


class _Run:
    """What all connections share."""

    def __init__(self, load: Load) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
        self._requests = [
            f"POST {load.path} HTTP/1.1\r\nhost: localhost\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body
            for body in load.bodies
        ]
        self._next = 0
        self.answers = 0
        self.failures = 0
        self.going = True

    def request(self) -> bytes:
        self._next = (self._next + 1) % len(self._requests)
        return self._requests[self._next]


class _Connection(asyncio.Protocol):
    """One request after the other, each when the answer to the last one is complete."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._run.request())

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        at = data.find(_LENGTH) + len(_LENGTH)
        length = int(data[at : data.index(b"\r", at)])
        if len(data) < end + 4 + length:
            self._buffer = data
            return
        self._buffer = b""
        run = self._run
        run.answers += 1
        if not data.startswith(b"HTTP/1.1 200"):
            run.failures += 1
        if run.going:
            self._transport.write(run.request())

    def connection_lost(self, error: Exception | None) -> None:
        if self._run.going:
            self._run.failures += 1


async def generate(load: Load) -> Result:
    """Send until time is up."""
    run = _Run(load)
    loop = asyncio.get_running_loop()
    transports = [
        (await loop.create_connection(lambda: _Connection(run), "127.0.0.1", load.port))[0]
        for _ in range(load.connections)
    ]
    await asyncio.sleep(load.warm_up)
    answers, failures, started, cpu = run.answers, run.failures, time.perf_counter(), time.process_time()
    await asyncio.sleep(load.seconds)
    elapsed, busy = time.perf_counter() - started, time.process_time() - cpu
    result = Result(run.answers - answers, run.failures - failures, elapsed, busy / elapsed)
    run.going = False
    for transport in transports:
        transport.close()
    return result


def main() -> None:
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(generate(load))))


if __name__ == "__main__":
    main()
