"""The one client for requests to addresses that somebody typed in: it refuses those inside the house."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import httpx
from httpcore._backends.auto import AutoBackend

from chatnation.core.errors import ChatnationError

SECONDS = 10.0
MAX_ANSWER_BYTES = 2_000_000

Network = IPv4Network | IPv6Network


class AddressRefused(ChatnationError):
    """The address leads inside the house, where nobody outside may send us."""


class AnswerTooLong(ChatnationError):
    """The other side sent more than anybody could need."""


class Outgoing:
    """Makes clients that call public addresses only, and those in the networks that the operator allowed.

    What a name stands for is looked up once, checked, and called: a name that answers differently the second time gains
    nothing. Redirects are not followed. Proxies of the environment are not used.
    """

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    @asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client for a few requests; `options` are those of `httpx.AsyncClient`."""
        async with httpx.AsyncClient(
            **{
                "timeout": SECONDS,
                "follow_redirects": False,
                "trust_env": False,
                "transport": self.transport(),
                **options,
            }
        ) as client:
            yield client

    def transport(self) -> httpx.AsyncBaseTransport:
        """A transport for libraries that make clients of their own."""
        return _Transport(self._allowed)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, allowed: Sequence[Network]) -> None:
        self._inner = httpx.AsyncHTTPTransport(trust_env=False, retries=0)
        self._inner._pool._network_backend = _Guarded(allowed)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in {"http", "https"}:
            raise AddressRefused("Only http and https addresses are called.")
        response = await self._inner.handle_async_request(request)
        response.stream = _Limited(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Limited(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > MAX_ANSWER_BYTES:
                raise AnswerTooLong(f"The answer is longer than {MAX_ANSWER_BYTES:,} bytes.")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Guarded(AutoBackend):
    """Connects to the address that was checked, so that there is no second look-up to answer differently."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed

    async def connect_tcp(self, host: str, port: int, *arguments: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError(f"{host} cannot be found") from None
        addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not may_be_called(address, self._allowed):
                raise AddressRefused(
                    f"{host} is inside the house. CHATNATION_OUTGOING_ALLOWED names networks that may be called."
                )
        return await super().connect_tcp(str(addresses[0]), port, *arguments, **options)


def may_be_called(address: IPv4Address | IPv6Address, allowed: Iterable[Network]) -> bool:
    """Whether an address is public, or in a network that is allowed."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in allowed if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast
