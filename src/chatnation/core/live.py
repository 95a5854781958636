"""What happens now, for pages that are open: a short Redis stream a tenant.

A stream rather than pub/sub, because its entry ids let a browser that lost its connection resume without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from redis.asyncio import Redis

KEPT_MESSAGES = 1_000
"""About as many messages are kept for a browser that reconnects."""


@dataclass(frozen=True, slots=True)
class LiveMessage:
    """One message. `id` is the stream's, `kind` a word such as `events.stored`, `data` a JSON object as bytes."""

    id: str
    kind: str
    data: bytes


def live_key(tenant_id: int) -> str:
    """The stream of a tenant."""
    return f"live:{tenant_id}"


async def publish(redis: Redis, tenant_id: int, kind: str, data: dict[str, Any]) -> None:
    """Tell every open page of the tenant. Raises what the Redis client raises."""
    await redis.xadd(
        live_key(tenant_id), {"kind": kind, "data": msgspec.json.encode(data)}, maxlen=KEPT_MESSAGES, approximate=True
    )


def read_entry(entry_id: Any, fields: dict[Any, Any]) -> LiveMessage:
    """A stream entry as the client returns it, with or without decoded responses."""
    plain = {_text(name): value for name, value in fields.items()}
    data = plain.get("data", b"{}")
    return LiveMessage(_text(entry_id), _text(plain.get("kind", "")), data.encode() if isinstance(data, str) else data)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
