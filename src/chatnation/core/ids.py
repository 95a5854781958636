"""Identifiers: how each kind is made, and how foreign text becomes one."""

from __future__ import annotations

import hashlib
import os
import time
from uuid import UUID, uuid5

from asyncpg.pgproto.pgproto import UUID as QuickUUID  # noqa: N811

_ANONYMOUS_NAMESPACE = UUID("5a9de7e1-6c1b-5d0a-9d54-5d1f4a6c0b1e")


def uuid7() -> UUID:
    """A time-ordered UUID, version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits.

    Rows keyed by it are inserted at the end of their index, which keeps the index small and warm.
    """
    value = bytearray(time.time_ns().__floordiv__(1_000_000).to_bytes(6, "big") + os.urandom(10))
    value[6] = 0x70 | value[6] & 0x0F
    value[8] = 0x80 | value[8] & 0x3F
    return UUID(bytes=bytes(value))


def hashed_uuid(*parts: str | int) -> UUID:
    """A UUID, version 8, that is the same for the same parts: 128 bits of BLAKE2b over their unambiguous join."""
    joined = "\x1f".join(str(part) for part in parts)
    digest = bytearray(hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest())
    digest[6] = 0x80 | digest[6] & 0x0F
    digest[8] = 0x80 | digest[8] & 0x3F
    return QuickUUID(bytes(digest))


def parse_uuid(text: str) -> UUID | None:
    """The UUID that `text` spells in its canonical 36 characters, else None.

    The database driver's UUID, a subclass of the standard one, is made eight times as fast, and events have many.
    """
    if len(text) != 36:
        return None
    try:
        return QuickUUID(text)
    except ValueError:
        return None


def client_uuid(tenant_id: int, text: str) -> UUID:
    """The UUID of an anonymous or session id that a client sent: as is, or version 5 within the tenant.

    The tenant is part of the name, so equal texts of two tenants never give the same id.
    """
    return parse_uuid(text) or uuid5(_ANONYMOUS_NAMESPACE, f"{tenant_id}:{text}")


def message_uuid(text: str) -> tuple[UUID, str | None]:
    """The dedupe key of a message id, and the text itself where it is not a UUID.

    Segment's clients send ids such as ``ajs-next-1700000000000-…``: these are hashed to 128 bits and the text is
    kept beside the key.
    """
    parsed = parse_uuid(text)
    return (parsed, None) if parsed else (hashed_uuid("message", text), text)
