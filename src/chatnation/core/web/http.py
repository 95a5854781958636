"""HTTP as uvicorn speaks it, with a shorter way for answers that are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chatnation.core.ingestion.answers import WHOLE_ANSWER, Header


@lru_cache(maxsize=2_000)
def _line(header: Header) -> bytes:
    """A header as it is sent, nothing if its value would end the line. Most are the same in every answer."""
    line = b"%b: %b\r\n" % header
    return line if line.count(b"\n") == line.count(b"\r") == 1 else b""


class HttpProtocol(HttpToolsProtocol):
    """Offers requests the extension `WHOLE_ANSWER`: `write(status, headers, body)`, which says whether it did it.

    In ASGI an answer is two messages, and the server writes each to the socket by itself: two system calls, two
    packets, and a client that is woken twice. That, and a look at each header by itself, is as much work as the
    collector has with an event. What is out of the ordinary is left to the messages: pipelined requests, a client that
    reads too slowly, a connection that ends with the answer.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._extensions: dict[str, dict[object, object]] = {WHOLE_ANSWER: {"write": self._write_whole}}

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def _write_whole(self, status: int, headers: Sequence[Header], body: bytes) -> bool:
        cycle = self.cycle  # The request under way, unless others wait behind it.
        if (
            self.pipeline
            or cycle.response_started
            or cycle.disconnected
            or not cycle.keep_alive
            or self.flow.write_paused
            or self.scope["method"] == "HEAD"
        ):
            return False
        lines = [_line(header) for header in (*cycle.default_headers, *headers)]
        if not all(lines):
            return False  # A value that would end its line; the messages say what is wrong with it.
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", body)))
        cycle.message_event.set()
        cycle.on_response()
        return True
