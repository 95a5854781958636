"""Requests that are answered at once, without a task: which ones they are, and that nobody can tell."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from chatnation.core.ingestion.answers import answer_of, send_answer
from chatnation.core.supervisor.web import server_config
from chatnation.core.web.http import LONGEST_BODY
from chatnation.core.web.routing import Respond

PATH = "/events"
LATER = b"later"
DECLINED = b"declined"
FAILING = b"failing"


class Counter:
    """Answers with the length of the body, at once or as an ASGI application, and notes which it did."""

    def __init__(self) -> None:
        self.ways: list[str] = []
        self.waiting: list[Respond] = []
        self.asked = asyncio.Event()

    def at_once(self, scope: Scope, body: bytes, respond: Respond) -> bool:
        assert (scope["method"], scope["path"], scope["query_string"]) == ("POST", PATH, b"")
        assert dict(scope["headers"])[b"host"] == b"here"
        assert scope["client"][0] == "127.0.0.1"
        if body == FAILING:
            raise ValueError("a fault of ours")
        if body == DECLINED:
            return False
        self.ways.append("at once")
        if body == LATER:
            self.waiting.append(respond)
            self.asked.set()
        else:
            respond(answer_of(200, b"text/plain", b"%d bytes" % len(body), [(b"x-one", b"1")]))
        return True

    def respond(self) -> None:
        """Answer what waits."""
        self.waiting.pop(0)(answer_of(200, b"text/plain", b"%d bytes" % len(LATER), [(b"x-one", b"1")]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ways.append("as a task")
        self.asked.set()
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await send_answer(send, answer_of(200, b"text/plain", b"%d bytes" % len(body), [(b"x-one", b"1")]), scope=scope)


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
async def server(counter: Counter) -> AsyncIterator[uvicorn.Server]:
    server = uvicorn.Server(server_config(counter, {PATH: counter.at_once}))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve([listening]))
        while not server.started:
            await asyncio.sleep(0)
        yield server
        server.should_exit = True
        await serving


class Line:
    """A connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def answer(self) -> tuple[bytes, bytes]:
        """Head and body of the next answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head, await self._reader.readexactly(length)

    async def until(self, end: bytes) -> bytes:
        return await self._reader.readuntil(end)

    async def rest(self) -> bytes:
        """What comes until the server hangs up."""
        return await self._reader.read()

    async def hang_up(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@pytest.fixture
async def line(server: uvicorn.Server) -> AsyncIterator[Line]:
    port = server.servers[0].sockets[0].getsockname()[1]
    line = Line(*await asyncio.open_connection("127.0.0.1", port))
    yield line
    await line.hang_up()


def post(body: bytes, *headers: bytes, version: bytes = b"1.1") -> bytes:
    lines = [b"POST %b HTTP/%b" % (PATH.encode(), version), b"Host: here", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"", body])


async def has_begun(server: uvicorn.Server) -> None:
    """Returns when the server has the first part of a body."""
    while not any(protocol._kept for protocol in server.server_state.connections):  # type: ignore[union-attr]
        await asyncio.sleep(0)


def without_date(head: bytes) -> list[bytes]:
    return [line for line in head.split(b"\r\n") if not line.startswith(b"date: ")]


async def test_both_ways_answer_with_the_same_bytes(counter: Counter, line: Line) -> None:
    line.send(post(b"12345678"))
    at_once = await line.answer()
    line.send(post(DECLINED))
    as_task = await line.answer()

    assert counter.ways == ["at once", "as a task"]
    assert b"\r\ndate: " in at_once[0]
    assert without_date(at_once[0]) == without_date(as_task[0])
    assert at_once[1] == as_task[1] == b"8 bytes"


async def test_a_body_may_come_in_pieces(counter: Counter, line: Line) -> None:
    request = post(b"0123456789")
    for at in range(len(request)):
        line.send(request[at : at + 1])
        await asyncio.sleep(0)

    assert (await line.answer())[1] == b"10 bytes"
    assert counter.ways == ["at once"]


async def test_a_declined_body_in_pieces_is_handed_on_whole(
    counter: Counter, server: uvicorn.Server, line: Line
) -> None:
    request = post(DECLINED)
    line.send(request[:-3])
    await has_begun(server)
    line.send(request[-3:])

    assert (await line.answer())[1] == b"8 bytes"
    assert counter.ways == ["as a task"]


@pytest.mark.parametrize("more", [0, 1])
async def test_a_long_body_is_not_waited_for(counter: Counter, line: Line, more: int) -> None:
    line.send(post(b"x" * (LONGEST_BODY + more)))

    assert (await line.answer())[1] == b"%d bytes" % (LONGEST_BODY + more)
    assert counter.ways == ["as a task" if more else "at once"]


async def test_a_body_in_chunks_is_answered_at_once_too(counter: Counter, line: Line) -> None:
    line.send(
        b"POST /events HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n2\r\nfg\r\n0\r\n\r\n"
    )

    assert (await line.answer())[1] == b"7 bytes"
    assert counter.ways == ["at once"]


@pytest.mark.parametrize(
    "request_",
    [
        post(b"abc", b"Connection: close"),
        post(b"abc", version=b"1.0"),
        post(b"abc").replace(b"POST", b"PUT"),
        post(b"abc").replace(PATH.encode(), PATH.encode() + b"?a=1"),
        post(b"abc", b"Connection: Upgrade", b"Upgrade: h2c"),
    ],
    ids=["the connection ends", "HTTP/1.0", "another method", "a query", "an upgrade"],
)
async def test_what_is_out_of_the_ordinary_is_left_to_the_application(
    counter: Counter, line: Line, request_: bytes
) -> None:
    line.send(request_)

    assert (await line.answer())[1].endswith(b"bytes")
    assert counter.ways == ["as a task"]


async def test_a_client_that_asks_before_it_sends_is_told_to_go_on(counter: Counter, line: Line) -> None:
    head, _, body = post(b"abc", b"Expect: 100-continue").partition(b"\r\n\r\n")
    line.send(head + b"\r\n\r\n")
    assert await line.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    line.send(body)

    assert (await line.answer())[1] == b"3 bytes"
    assert counter.ways == ["as a task"]


async def test_a_fault_costs_no_request(counter: Counter, line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.send(post(FAILING))

    assert (await line.answer())[1] == b"7 bytes"
    assert counter.ways == ["as a task"]
    assert "could not be answered at once" in caplog.text


async def test_a_header_that_would_begin_another_is_refused(counter: Counter, line: Line) -> None:
    line.send(post(LATER))
    await counter.asked.wait()
    counter.waiting.pop()(answer_of(200, b"text/plain", b"", [(b"x-one", b"1\r\nset-cookie: a=b")]))

    assert await line.rest() == b""


async def test_requests_that_do_not_wait_for_answers_get_them_in_order(counter: Counter, line: Line) -> None:
    line.send(post(LATER) + post(b"a") + post(b"bc"))
    await counter.asked.wait()
    counter.respond()

    assert [(await line.answer())[1] for _ in range(3)] == [b"5 bytes", b"1 bytes", b"2 bytes"]
    assert counter.ways[0] == "at once"
    line.send(post(b"def"))
    assert (await line.answer())[1] == b"3 bytes"
    assert counter.ways[-1] == "at once", "and once they are answered, all is as before"


async def test_an_answer_that_is_under_way_is_given_before_the_server_stops(
    counter: Counter, server: uvicorn.Server, line: Line
) -> None:
    line.send(post(LATER))
    await counter.asked.wait()
    server.should_exit = True
    while not server.servers or server.servers[0].is_serving():
        await asyncio.sleep(0.01)
    counter.respond()

    head, body = await line.answer()
    assert body == b"5 bytes"
    assert b"\r\nconnection: close\r\n" in head
    assert await line.rest() == b""


async def test_a_request_that_has_begun_is_answered_before_the_server_stops(
    counter: Counter, server: uvicorn.Server, line: Line
) -> None:
    request = post(b"abc")
    line.send(request[:-1])
    await has_begun(server)
    server.should_exit = True
    while server.servers[0].is_serving():
        await asyncio.sleep(0.01)
    line.send(request[-1:])

    assert (await line.answer())[1] == b"3 bytes"
    assert await line.rest() == b""


async def test_an_answer_to_somebody_who_is_gone_is_dropped(
    counter: Counter, server: uvicorn.Server, line: Line
) -> None:
    line.send(post(LATER))
    await counter.asked.wait()
    await line.hang_up()
    while server.server_state.connections:
        await asyncio.sleep(0)
    counter.respond()
