"""Where a request keeps its write key."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping
from urllib.parse import parse_qs

_QUERY_NAMES = ("writeKey", "write_key")
_BODY_NAMES = ("write_key", "writeKey", "api_key")
_LONGEST_KEY = 200


def key_from_headers(headers: Mapping[bytes, bytes], query_string: bytes) -> str | None:
    """The key of `X-Write-Key`, of Basic authorization (as user name), or of the query."""
    named = headers.get(b"x-write-key")
    if named:
        return _checked(named.decode("latin-1").strip())
    authorization = headers.get(b"authorization")
    if authorization:
        key = _basic(authorization)
        if key is not None:
            return key
    return key_from_query(query_string) if query_string else None


def key_from_bearer(headers: Mapping[bytes, bytes]) -> str | None:
    """The key of Bearer authorization, to be asked for last: OAuth clients have a token there, the key elsewhere."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    return _checked(value.decode("latin-1").strip()) if scheme.lower() == b"bearer" else None


def key_from_query(query_string: bytes) -> str | None:
    """The key that a beacon or pixel carries in its address."""
    try:
        values = parse_qs(query_string.decode("latin-1"), max_num_fields=1_000)
    except ValueError:
        return None
    found = next((values[name][0] for name in _QUERY_NAMES if name in values), None)
    return _checked(found.strip()) if found else None


def key_from_body(body: object) -> str | None:
    """The key at the top of a batch or single call, or in the first item of a batch."""
    key = _named_key(body)
    if key is None and isinstance(body, dict):
        batch = body.get("batch")
        key = _named_key(batch[0]) if isinstance(batch, list) and batch else None
    return key


def _named_key(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    found = next((value[name] for name in _BODY_NAMES if value.get(name)), None)
    return _checked(found.strip()) if isinstance(found, str) else None


def _basic(authorization: bytes) -> str | None:
    scheme, _, value = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        text = b64decode(value.strip() + b"=" * (-len(value.strip()) % 4)).decode("latin-1")
    except (binascii.Error, ValueError):
        return None
    return _checked(text.partition(":")[0].strip())


def _checked(key: str) -> str | None:
    """The key, unless it cannot be one."""
    return key if key and len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable() else None
