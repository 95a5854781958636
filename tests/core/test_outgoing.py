"""Requests to addresses that somebody typed in do not reach what is inside the house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address, ip_network

import pytest

from chatnation.core.outgoing import MAX_ANSWER_BYTES, AddressRefused, AnswerTooLong, Outgoing, may_be_called

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that says `answer` to everybody; its address, and what it was asked."""
    asked: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        with suppress(OSError):
            await writer.drain()
        writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listening:
        yield f"http://localhost:{listening.sockets[0].getsockname()[1]}", asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not may_be_called(ip_address(address), ())


def test_public_addresses_and_those_that_are_allowed_may_be_called() -> None:
    assert may_be_called(ip_address("1.1.1.1"), ())
    assert may_be_called(ip_address("2606:4700::1111"), ())
    assert may_be_called(ip_address("10.1.2.3"), [ip_network("10.1.0.0/16")])
    assert not may_be_called(ip_address("10.2.2.3"), [ip_network("10.1.0.0/16")])
    assert may_be_called(ip_address("::ffff:10.1.2.3"), [ip_network("10.1.0.0/16")])


async def test_a_name_that_leads_inside_is_refused_before_anything_is_sent() -> None:
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (url, asked):
        with pytest.raises(AddressRefused):
            async with Outgoing().client() as client:
                await client.get(url)
        assert asked == []
        async with Outgoing(LOOPBACK).client() as client:
            assert (await client.get(url)).text == "hi"
        assert b"localhost" in asked[0]


async def test_a_redirect_is_not_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"
    async with server(answer) as (url, _), Outgoing(LOOPBACK).client() as client:
        assert (await client.get(url)).status_code == 302


async def test_an_endless_answer_is_cut() -> None:
    body = b"x" * (MAX_ANSWER_BYTES + 1)
    async with server(b"HTTP/1.1 200 OK\r\n\r\n" + body) as (url, _), Outgoing(LOOPBACK).client() as client:
        with pytest.raises(AnswerTooLong):
            await client.get(url)
