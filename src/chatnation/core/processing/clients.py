"""What sends events: the SDK and the user agent string, each pair stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chatnation.core.identity.generations import Generations
from chatnation.core.ingestion.event import Event
from chatnation.core.storage.storage import Storage, raw

if TYPE_CHECKING:
    import asyncpg

_FIND = "SELECT digest, id FROM clients WHERE digest = ANY ($1)"
# What an event adds to a known client is what the plugin that reads the user agent, switched on later, has found out.
_ADD = """
INSERT INTO clients AS known
    (digest, is_bot, sdk_name, sdk_version, user_agent, device_type, os_name, os_version, browser_name, browser_version)
SELECT * FROM unnest($1::bytea[], $2::bool[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[])
ON CONFLICT (digest) DO UPDATE SET
    is_bot = excluded.is_bot, device_type = excluded.device_type,
    os_name = excluded.os_name, os_version = excluded.os_version,
    browser_name = excluded.browser_name, browser_version = excluded.browser_version
WHERE known.device_type IS NULL AND excluded.device_type IS NOT NULL
"""
_ADDED = (
    "is_bot",
    "sdk_name",
    "sdk_version",
    "user_agent",
    "device_type",
    "os_name",
    "os_version",
    "browser_name",
    "browser_version",
)

Signature = tuple[str | None, str | None, str | None]
"""Name and version of the SDK, user agent string."""


class Clients:
    """Gives events the id of their client. A client is looked up once a process, not once an event.

    New ones are added in a transaction of their own, so that workers that meet one at the same time do not wait for
    each other's batches.
    """

    def __init__(self, storage: Storage, remembered: int = 20_000) -> None:
        self._storage = storage
        self._ids: Generations[Signature, int] = Generations(remembered)

    async def identify(self, events: Iterable[Event]) -> None:
        """Set `client_id` of every event that says what sent it."""
        unknown: dict[Signature, list[Event]] = {}
        for event in events:
            if event.user_agent or event.sdk_name:
                signature = (event.sdk_name, event.sdk_version, event.user_agent)
                event.client_id = self._ids.get(signature)
                if event.client_id is None:
                    unknown.setdefault(signature, []).append(event)
        if unknown:
            await self._look_up(unknown)

    async def _look_up(self, unknown: dict[Signature, list[Event]]) -> None:
        examples = {_digest(signature): events[0] for signature, events in unknown.items()}
        async with self._storage.system("clients, which all tenants share") as connection:
            database = await raw(connection)
            found = await _find(database, examples)
            missing = sorted(examples.keys() - found.keys())
            if missing:
                await database.execute(_ADD, missing, *_columns([examples[digest] for digest in missing]))
                found |= await _find(database, missing)
        for signature, events in unknown.items():
            number = self._ids[signature] = found[_digest(signature)]
            for event in events:
                event.client_id = number


async def _find(database: asyncpg.Connection[Any], digests: Iterable[bytes]) -> dict[bytes, int]:
    return {row["digest"]: row["id"] for row in await database.fetch(_FIND, list(digests))}


def _columns(events: list[Event]) -> tuple[list[object], ...]:
    return tuple([getattr(event, name) for event in events] for name in _ADDED)


def _digest(signature: Signature) -> bytes:
    text = "\x1f".join(part or "" for part in signature)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
