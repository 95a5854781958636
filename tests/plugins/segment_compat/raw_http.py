"""HTTP as bytes on a socket, for what no well-behaved client library would send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer as it came; headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RawConnection:
    """One connection to the server at `url`, kept alive until the block ends."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc

    async def __aenter__(self) -> Self:
        host, _, port = self.host.partition(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self

    async def __aexit__(self, *error: object) -> None:
        self._writer.close()

    async def send(self, head: list[str], body: bytes = b"") -> None:
        """Write request line and headers, one per item, then the body, and add nothing."""
        self._writer.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        await self._writer.drain()

    async def send_body_after_permission(self, body: bytes) -> None:
        """Wait for `100 Continue`, then write the body."""
        async with asyncio.timeout(PATIENCE):
            line = await self._reader.readuntil(b"\r\n")
            assert line.split()[1] == b"100", line
            await self._headers()
        self._writer.write(body)
        await self._writer.drain()

    async def answer(self, *, to_head: bool = False) -> Answer:
        """The next answer; `to_head`: it has no body, whatever its length says."""
        async with asyncio.timeout(PATIENCE):
            line = await self._reader.readuntil(b"\r\n")
            headers = await self._headers()
            length = 0 if to_head else int(headers.get("content-length", "0"))
            return Answer(int(line.split()[1]), headers, await self._reader.readexactly(length))

    async def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while (line := (await self._reader.readuntil(b"\r\n")).decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return headers


def chunked(body: bytes, size: int = 37) -> bytes:
    """`body` in the chunked transfer coding."""
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
