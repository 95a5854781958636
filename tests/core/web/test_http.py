"""Answers that leave in one piece are those that would have left in two."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from chatnation.core.ingestion.answers import WHOLE_ANSWER, answer_of, send_answer
from chatnation.core.supervisor.web import server_config

GET = b"GET /%b HTTP/1.1\r\nHost: here\r\n\r\n"


class Echo:
    """Answers with the path, as one piece or as two messages, and notes what was done with the piece."""

    def __init__(self) -> None:
        self.headers: Sequence[tuple[bytes, bytes]] = [(b"x-one", b"1"), (b"x-two", b"a: b")]
        self.whole = True
        self.written: list[bool] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        extension = scope["extensions"][WHOLE_ANSWER]
        write = extension["write"]

        def watched(*arguments: object) -> bool:
            self.written.append(write(*arguments))
            return self.written[-1]

        scope["extensions"] = {WHOLE_ANSWER: {"write": watched}}
        body = b"You asked for " + scope["path"].encode()
        answer = answer_of(201, b"text/plain", body, self.headers)
        await send_answer(send, answer, scope=scope if self.whole else None)


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def port(echo: Echo) -> AsyncIterator[int]:
    """Where `echo` is served as our own application is."""
    server = uvicorn.Server(server_config(echo))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server._serve([listening]))
        yield int(listening.getsockname()[1])
        server.should_exit = True
        await serving


async def converse(port: int, request: bytes, answers: int = 1) -> bytes:
    """Everything that comes back until the connection ends, or until that many answers are there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    received = b""
    while received.count(b"You asked for /") < answers and (data := await reader.read(65_536)):
        received += data
    writer.close()
    await writer.wait_closed()
    return received


def without_date(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if not line.startswith(b"date: ")]


async def test_an_answer_in_one_piece_has_the_same_bytes(echo: Echo, port: int) -> None:
    whole = await converse(port, GET % b"a")
    echo.whole = False
    in_two = await converse(port, GET % b"a")

    assert echo.written == [True]
    assert b"\r\ndate: " in whole
    assert without_date(whole) == without_date(in_two)
    assert whole.startswith(b"HTTP/1.1 201 Created\r\n")


async def test_a_connection_goes_on_after_the_answer(echo: Echo, port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path in (b"a", b"b", b"c"):
        writer.write(GET % path)
        assert (await reader.readuntil(b"You asked for /" + path)).startswith(b"HTTP/1.1 201")
    writer.close()
    await writer.wait_closed()

    assert echo.written == [True, True, True]


async def test_requests_that_come_without_waiting_are_answered_in_order(echo: Echo, port: int) -> None:
    received = await converse(port, GET % b"a" + GET % b"b" + GET % b"c", answers=3)

    assert [part[:1] for part in received.split(b"You asked for /")[1:]] == [b"a", b"b", b"c"]
    assert echo.written == [False, False, True], "one that others wait behind is left to the server"


@pytest.mark.parametrize(
    "request_", [b"GET /a HTTP/1.0\r\n\r\n", b"GET /a HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"]
)
async def test_a_connection_that_ends_with_the_answer_says_so(echo: Echo, port: int, request_: bytes) -> None:
    received = await converse(port, request_, answers=2)

    assert b"connection: close\r\n" in received
    assert received.endswith(b"You asked for /a")
    assert echo.written == [False]


async def test_a_head_request_gets_no_body(echo: Echo, port: int) -> None:
    received = await converse(port, b"HEAD /a HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")

    assert b"content-length: 16\r\n" in received
    assert received.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("value", [b"1\r\nset-cookie: a=b", b"1\nset-cookie: a=b", b"1\r"])
async def test_a_header_that_would_begin_another_is_refused(echo: Echo, port: int, value: bytes) -> None:
    echo.headers = [(b"x-one", value)]

    received = await converse(port, GET % b"a")

    assert received == b""
    assert echo.written == [False]
