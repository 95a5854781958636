"""What the collector sends back, readable by our SDK and by those of Segment and RudderStack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from starlette.types import Scope, Send

from chatnation.core.errors import Problem
from chatnation.core.web.routing import Answer, Header

WHOLE_ANSWER = "chatnation.whole_answer"
"""An ASGI extension of our server (`core/web/http.py`): a function that writes a whole answer at once."""

_NO_STORE: Header = (b"cache-control", b"no-store")
_EXPOSED: Header = (
    b"access-control-expose-headers",
    b"Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
)
_ANY_ORIGIN: Sequence[Header] = ((b"access-control-allow-origin", b"*"), _EXPOSED, _NO_STORE)
_METHODS: Header = (b"access-control-allow-methods", b"GET, POST, OPTIONS")
_MAX_AGE: Header = (b"access-control-max-age", b"900")
_REQUEST_HEADERS = (
    b"Content-Type, Content-Encoding, Authorization, X-Write-Key, X-Request-Id, X-Retry-Count, AnonymousId, SentAt,"
    b" Rsa-Recovered, Rsa-Retry-Attempt, Rsa-Since-Last-Attempt, Rsa-Since-First-Attempt, Rsa-Retry-Reason"
)
_HEADER_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: *, *[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")
_ORIGIN = re.compile(rb"[!-~]{1,300}")


@lru_cache(maxsize=2_000)
def cors_headers(origin: bytes | None) -> Sequence[Header]:
    """Headers that let a page of `origin` read the answer, whatever it says.

    Browsers send beacons with credentials, for which `*` does not do; nothing here depends on a cookie. Whether the
    origin may send events is decided with the write key.
    """
    if origin is None or not _ORIGIN.fullmatch(origin):
        return _ANY_ORIGIN
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
        _EXPOSED,
        _NO_STORE,
    )


def preflight_headers(origin: bytes | None, requested: bytes | None) -> list[Header]:
    """Headers that answer a preflight: whatever headers the page wants to send are welcome."""
    wanted = requested if requested and len(requested) < 1_000 and _HEADER_NAMES.fullmatch(requested) else None
    return [
        *cors_headers(origin),
        _METHODS,
        (b"access-control-allow-headers", wanted or _REQUEST_HEADERS),
        _MAX_AGE,
    ]


@lru_cache(maxsize=2_000)
def all_accepted(count: int) -> bytes:
    """The body of an answer to a batch without a fault."""
    return msgspec.json.encode({"status": "success", "accepted": count, "rejected": []})


def error_body(problem: Problem, request_id: str, extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON body of an error.

    `code` and `message` are read by our SDK and the Python ones, `error` by Ruby's; `status`, `statusCode` and
    `timestamp` are there for clients of the product that this one follows.
    """
    return {
        "status": "error",
        "statusCode": problem.status,
        "code": problem.code,
        "message": problem.detail,
        "error": problem.detail,
        "request_id": request_id,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        **(extra or {}),
    }


def problem_headers(problem: Problem) -> list[Header]:
    """Headers of an error, such as Retry-After."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in problem.headers.items()]


def answer_of(status: int, content_type: bytes, body: bytes, headers: Iterable[Header]) -> Answer:
    """An answer with the headers that every answer has, and more."""
    return Answer(status, [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers], body)


async def send_answer(send: Send, answer: Answer, *, scope: Scope | None = None) -> None:
    """Send a whole answer; in one piece where the server of `scope` knows how."""
    extensions = scope.get("extensions") if scope is not None else None
    if extensions and WHOLE_ANSWER in extensions and extensions[WHOLE_ANSWER]["write"](answer):
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


async def send_value(send: Send, status: int, value: object, headers: Iterable[Header] = ()) -> None:
    """Send `value` as JSON that any page may read."""
    body = msgspec.json.encode(value)
    await send_answer(send, answer_of(status, b"application/json", body, [*_ANY_ORIGIN, *headers]))
