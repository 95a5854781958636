"""Reading a request body: bounded, inflated, and parsed more kindly than the standard asks."""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

import msgspec
from starlette.types import Receive

from chatnation.core.errors import Problem

_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_PLAIN_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_DRAIN_BYTES = 16_000_000
_LONGEST_INTEGER = 400
_untyped = msgspec.json.Decoder()


class ClientGone(Exception):
    """The client hung up before it had sent its request."""


async def read_body(receive: Receive, *, limit: int) -> bytes:
    """The body as it came, of at most `limit` bytes. Raises Problem 413 and ClientGone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if len(body) <= limit and not message.get("more_body", False):
        return body
    chunks, size = [body], len(body)
    while message.get("more_body", False):
        if size > limit:
            await _drain(receive, size)
            break
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
    if size > limit:
        raise too_large(limit)
    return b"".join(chunks)


async def _drain(receive: Receive, size: int) -> None:
    """Read on and forget. A server that answers and hangs up early looks like a broken network to most clients."""
    more = True
    while more and size < _DRAIN_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        size += len(message.get("body", b""))
        more = message.get("more_body", False)


def inflate(body: bytes, encoding: str, *, limit: int) -> bytes:
    """The body without its compression, recognised by `encoding` (the Content-Encoding header) or by its first bytes.

    Never makes more than `limit` bytes, so a bomb costs no more than an honest body. Raises Problem 413, 415 and 400.
    """
    encoding = encoding.strip().lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise Problem(415, "unsupported_encoding", "Send the body plain, or compressed with gzip or deflate.")
    if body[:2] == _GZIP_MAGIC:
        return _inflate(body, _GZIP_WINDOW, limit)
    if _is_zlib(body):
        return _inflate(body, zlib.MAX_WBITS, limit)
    if encoding == "deflate" and body.lstrip()[:1] not in (b"{", b"["):
        return _inflate(body, -zlib.MAX_WBITS, limit)
    return body  # Plain, or a proxy inflated it and left the header.


def _is_zlib(body: bytes) -> bool:
    """Whether `body` begins as a zlib stream does (RFC 1950); no JSON text can."""
    return len(body) > 2 and body[0] & 0x0F == 8 and body[0] >> 4 <= 7 and (body[0] << 8 | body[1]) % 31 == 0


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    inflated = bytearray()
    rest = body
    try:
        while rest:  # A gzip file may be several, one after the other.
            stream = zlib.decompressobj(window)
            inflated += stream.decompress(rest, limit + 1 - len(inflated))
            if len(inflated) > limit:
                raise too_large(limit)
            if not stream.eof:
                raise zlib.error("the compressed body ends too early")
            rest = stream.unused_data.lstrip(b"\0") if window == _GZIP_WINDOW else b""
    except zlib.error as error:
        raise Problem(400, "invalid_compression", f"The body cannot be inflated: {error}.") from error
    return bytes(inflated)


def too_large(limit: int) -> Problem:
    return Problem(413, "request_too_large", f"Request size exceeds max limit: send at most {limit:,} bytes.")


def parse(body: bytes) -> Any:
    """The JSON value of a body.

    Lets pass what real clients send though it is no JSON: a byte order mark, `NaN` and `Infinity` (read as null),
    numbers beyond any column (null), lone surrogates and broken UTF-8 (replaced later). Raises Problem 400.
    """
    try:
        return _untyped.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        text = body.decode("utf-8-sig", errors="replace")
        return json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=lambda name: None)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "invalid_json", "Invalid JSON: the body must be a JSON object.") from error


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else None


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None
