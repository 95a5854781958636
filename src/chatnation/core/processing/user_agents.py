"""User agent strings, each stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chatnation.core.identity.generations import Generations
from chatnation.core.ingestion.event import Event
from chatnation.core.storage.storage import Storage, raw

if TYPE_CHECKING:
    import asyncpg

_FIND = "SELECT digest, id FROM user_agents WHERE digest = ANY ($1)"
# What an event adds to a known string is what the plugin that reads it, switched on later, has found out.
_ADD = """
INSERT INTO user_agents AS known
    (digest, user_agent, is_bot, device_type, os_name, os_version, browser_name, browser_version)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::bool[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
ON CONFLICT (digest) DO UPDATE SET
    is_bot = excluded.is_bot, device_type = excluded.device_type,
    os_name = excluded.os_name, os_version = excluded.os_version,
    browser_name = excluded.browser_name, browser_version = excluded.browser_version
WHERE known.device_type IS NULL AND excluded.device_type IS NOT NULL
"""


class UserAgents:
    """Gives events the id of their user agent string. A string is looked up once a process, not once an event.

    New strings are added in a transaction of their own, so that workers that meet one at the same time do not wait for
    each other's batches.
    """

    def __init__(self, storage: Storage, remembered: int = 20_000) -> None:
        self._storage = storage
        self._ids: Generations[str, int] = Generations(remembered)

    async def identify(self, events: Iterable[Event]) -> None:
        """Set `user_agent_id` of every event that has a user agent."""
        unknown: dict[str, list[Event]] = {}
        for event in events:
            if event.user_agent:
                event.user_agent_id = self._ids.get(event.user_agent)
                if event.user_agent_id is None:
                    unknown.setdefault(event.user_agent, []).append(event)
        if unknown:
            await self._look_up(unknown)

    async def _look_up(self, unknown: dict[str, list[Event]]) -> None:
        examples = {_digest(text): events[0] for text, events in unknown.items()}
        async with self._storage.system("user agent strings, which all tenants share") as connection:
            database = await raw(connection)
            found = await _find(database, examples)
            missing = sorted(examples.keys() - found.keys())
            if missing:
                await database.execute(_ADD, missing, *_columns([examples[digest] for digest in missing]))
                found |= await _find(database, missing)
        for text, events in unknown.items():
            number = self._ids[text] = found[_digest(text)]
            for event in events:
                event.user_agent_id = number


async def _find(database: asyncpg.Connection[Any], digests: Iterable[bytes]) -> dict[bytes, int]:
    return {row["digest"]: row["id"] for row in await database.fetch(_FIND, list(digests))}


def _columns(events: list[Event]) -> tuple[list[object], ...]:
    return tuple(
        [getattr(event, name) for event in events]
        for name in (
            "user_agent",
            "is_bot",
            "device_type",
            "os_name",
            "os_version",
            "browser_name",
            "browser_version",
        )
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]
