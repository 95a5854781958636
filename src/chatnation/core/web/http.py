"""HTTP as uvicorn speaks it, with shorter ways for answers that are ready and for requests that need no task."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chatnation.core.ingestion.answers import WHOLE_ANSWER
from chatnation.core.web.routing import Answer, AtOnce, Header

logger = logging.getLogger(__name__)

LONGEST_BODY = 65_536
"""Bytes of a request that may be kept until it is complete; a longer one goes to the application as it comes."""


class HttpProtocol(HttpToolsProtocol):
    """Answers some requests at once, and offers the others the extension `WHOLE_ANSWER`.

    `at_once` says who may answer a POST, by request target; see `IngestRoute`. Such a request is kept until its body is
    there, and then either answered without a task or handed on to uvicorn as if it had just come. A collector has less
    work with an event than with the cycle of ASGI messages around it.

    The extension is `write(answer)`, which says whether it did it. In ASGI an answer is two messages, and the server
    writes each to the socket by itself: two system calls, two packets, and a client that is woken twice.

    Both leave to the messages what is out of the ordinary: pipelined requests, a client that reads too slowly, a
    connection that ends with the answer.
    """

    def __init__(self, *args: Any, at_once: Mapping[bytes, AtOnce] = MappingProxyType({}), **options: Any) -> None:
        super().__init__(*args, **options)
        self._at_once = at_once
        self._kept: bytes | None = None
        """The body of a request that is kept, as far as it came."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._extensions: dict[str, dict[object, object]] = {WHOLE_ANSWER: {"write": self._write_whole}}

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = self._extensions

    def on_headers_complete(self) -> None:
        if self.url in self._at_once and self._is_ordinary():
            self._kept = b""
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._kept is None:
            super().on_body(body)
            return
        self._kept = self._kept + body if self._kept else body
        if len(self._kept) > LONGEST_BODY:
            self._hand_on()

    def on_message_complete(self) -> None:
        if self._kept is None:
            super().on_message_complete()
        elif self._answers_at_once(self._kept):
            self._kept = None
        else:
            self._hand_on()
            super().on_message_complete()

    def shutdown(self) -> None:
        if self._kept is not None:
            self._hand_on()  # What has begun to come is waited for.
        super().shutdown()

    def _is_ordinary(self) -> bool:
        """Whether the request comes alone, and another may follow its answer on the same connection."""
        return (
            self.parser.get_method() == b"POST"
            and (self.cycle is None or self.cycle.response_complete)  # type: ignore[redundant-expr]
            and not self.expect_100_continue
            and not self.flow.write_paused
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
        )

    def _hand_on(self) -> None:
        """Let uvicorn have the request that was kept."""
        kept, self._kept = self._kept, None
        super().on_headers_complete()
        if kept:
            super().on_body(kept)

    def _answers_at_once(self, body: bytes) -> bool:
        path = self.url.decode("ascii")
        self.scope |= {"method": "POST", "path": path, "raw_path": self.url, "query_string": b""}
        before, under_way = self.cycle, _UnderWay()
        self.cycle = under_way  # type: ignore[assignment]
        try:
            scope = cast("Scope", self.scope)
            if self._at_once[self.url](scope, body, partial(self._respond, under_way)):
                return True
        except Exception:
            logger.exception("a request to %s could not be answered at once", path)
        self.cycle = before
        return False

    def _respond(self, under_way: _UnderWay, answer: Answer) -> None:
        under_way.response_complete = True
        if self.transport.is_closing():
            return
        ending = () if under_way.keep_alive else ((b"connection", b"close"),)
        head = _head(answer.status, (*self.server_state.default_headers, *answer.headers, *ending))
        if head is None:
            logger.error("an answer with status %d has a header that would end its line", answer.status)
        else:
            self.transport.write(head + answer.body)
        if ending or head is None:
            self.transport.close()
        self.on_response_complete()

    def _write_whole(self, answer: Answer) -> bool:
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
        head = _head(answer.status, (*cycle.default_headers, *answer.headers))
        if head is None:
            return False  # The messages say what is wrong with it.
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.transport.write(head + answer.body)
        cycle.message_event.set()
        cycle.on_response()
        return True


class _UnderWay:
    """What a connection knows of a request that is answered at once, in the place of uvicorn's cycle of messages."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    message_event = asyncio.Event()
    """Nobody waits for it; uvicorn sets it when a connection is lost."""

    def __init__(self) -> None:
        self.disconnected = self.response_complete = False
        self.keep_alive = True


def _head(status: int, headers: Iterable[Header]) -> bytes | None:
    """The lines before the body, or None if a header would be more than one line."""
    lines = [b": ".join(header) for header in headers]
    head = b"".join((STATUS_LINE[status], b"\r\n".join(lines), b"\r\n\r\n"))
    return head if head.count(b"\n") == head.count(b"\r") == len(lines) + 2 else None
