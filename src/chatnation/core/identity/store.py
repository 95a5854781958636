"""Writes what events say about who is who, inside the transaction that stores them.

Evidence that the database is known to hold is not sent again, so a batch of familiar visitors writes nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from chatnation.core.identity.evidence import Evidence, LinkKey, Trait
from chatnation.core.identity.generations import Generations
from chatnation.core.identity.nodes import Node
from chatnation.core.identity.recomputing import log_changes, recompute
from chatnation.core.storage.locks import lock_identity

if TYPE_CHECKING:
    import asyncpg

_SEE = """
INSERT INTO identities AS known (tenant_id, leaf_id, kind, value, first_seen, last_seen)
SELECT $1::int4, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
ON CONFLICT (tenant_id, leaf_id) DO UPDATE
SET first_seen = least(known.first_seen, excluded.first_seen), last_seen = greatest(known.last_seen, excluded.last_seen)
WHERE excluded.first_seen < known.first_seen OR excluded.last_seen > known.last_seen
"""
# A pair that an operator split stays split, whatever else says that it belongs together.
_LINK = """
INSERT INTO identity_links AS known (tenant_id, a, b, source, first_seen, removed_at)
SELECT $1::int4, said.a, said.b, said.source, said.first_seen, (
    SELECT max(split.removed_at) FROM identity_links AS split
    WHERE split.tenant_id = $1 AND split.a = said.a AND split.b = said.b
)
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[]) AS said (a, b, source, first_seen)
ON CONFLICT (tenant_id, a, b, source) DO UPDATE SET first_seen = excluded.first_seen
WHERE excluded.first_seen < known.first_seen
RETURNING a, b, removed_at IS NULL AS counts
"""
# Equal times are decided by the value, so that the outcome does not depend on who came first.
# Who keeps answers about traits looks at the marker.
_SET_TRAITS = """
WITH changed AS (
INSERT INTO person_traits AS known (tenant_id, leaf_id, key, set_at, value)
SELECT DISTINCT ON (leaf_id, key) $1::int4, leaf_id, key, set_at, value
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::jsonb[]) AS given (leaf_id, key, set_at, value)
ORDER BY leaf_id, key, set_at DESC, value DESC
ON CONFLICT (tenant_id, leaf_id, key) DO UPDATE SET set_at = excluded.set_at, value = excluded.value
WHERE (excluded.set_at, excluded.value) > (known.set_at, known.value)
RETURNING 1
)
INSERT INTO segment_markers (tenant_id, source, quarter)
SELECT $1, 'person_traits', 'epoch' WHERE EXISTS (SELECT FROM changed)
"""
_NOTE_BAD_IDS = """
INSERT INTO identity_issues (tenant_id, kind, subject) SELECT $1::int4, 'meaningless_id', unnest($2::text[])
ON CONFLICT DO NOTHING
"""

_MINUTE = timedelta(minutes=1)

CACHE = "identity"
"""Our row in `cache_versions`: raise it when ids are deleted, so that no process takes them for known."""

Confirm = Callable[[], None]
"""Called once the transaction has committed: only then is what it wrote known to be there."""


class IdentityStore:
    """Writes evidence: one per process, because it remembers what was written."""

    def __init__(self, remembered: int = 100_000) -> None:
        self._links: Final[Generations[LinkKey, datetime]] = Generations(remembered)
        self._bad_ids: Final[set[tuple[int, str]]] = set()

    def forget(self) -> None:
        """Start anew, because the database may have lost what is remembered."""
        self._links.clear()
        self._bad_ids.clear()

    async def record_sightings(
        self, connection: asyncpg.Connection[Any], tenant_id: int, evidence: Evidence
    ) -> Confirm:
        """Write ids that are new, or were seen earlier or later than known, to the minute; and traits.

        Minutes, because a visitor who clicks all the time would else be written all the time.
        """
        news = [(node, _to_the_minute(span)) for node, span in evidence.sightings.items() if _is_news(node, span)]
        if news:
            news.sort(key=lambda sighting: sighting[0].leaf)  # Workers that wait for each other wait in one order.
            await connection.execute(
                _SEE,
                tenant_id,
                [node.leaf for node, _ in news],
                [node.kind for node, _ in news],
                [node.value for node, _ in news],
                [first for _, (first, _) in news],
                [last for _, (_, last) in news],
            )
        if evidence.traits:
            await _set_traits(connection, tenant_id, evidence.traits)
        bad_ids = sorted(text for text in evidence.bad_ids if (tenant_id, text) not in self._bad_ids)
        if bad_ids:
            await connection.execute(_NOTE_BAD_IDS, tenant_id, bad_ids)

        def confirm() -> None:
            for node, span in news:
                node.seen = _widest(node.seen, span)
            self._bad_ids.update((tenant_id, text) for text in bad_ids)

        return confirm

    async def record_links(self, connection: asyncpg.Connection[Any], tenant_id: int, evidence: Evidence) -> Confirm:
        """Write links that are new or happened earlier than known, and work out again who is who among their ends.

        Takes the tenant's identity lock if there is anything to write, so call it late in the transaction. The ends
        must have been recorded as sightings.
        """
        news = sorted((link, time) for link, time in evidence.links.items() if self._is_new(link, time))
        if news:
            await lock_identity(connection, tenant_id)
            changed = await connection.fetch(
                _LINK,
                tenant_id,
                [link.a for link, _ in news],
                [link.b for link, _ in news],
                [link.source for link, _ in news],
                [time for _, time in news],
            )
            seeds = {leaf for row in changed if row["counts"] for leaf in (row["a"], row["b"])}
            if seeds:
                await log_changes(connection, tenant_id, await recompute(connection, tenant_id, seeds))

        def confirm() -> None:
            for link, time in news:
                if self._is_new(link, time):
                    self._links[link] = time

        return confirm

    def _is_new(self, link: LinkKey, time: datetime) -> bool:
        known = self._links.get(link)
        return known is None or time < known


def _to_the_minute(span: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    first, last = span
    return first.replace(second=0, microsecond=0), last.replace(second=0, microsecond=0)


def _is_news(node: Node, span: tuple[datetime, datetime]) -> bool:
    return node.seen is None or span[0] < node.seen[0] or span[1] >= node.seen[1] + _MINUTE


def _widest(known: tuple[datetime, datetime] | None, span: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    return (min(known[0], span[0]), max(known[1], span[1])) if known else span


async def _set_traits(connection: asyncpg.Connection[Any], tenant_id: int, traits: Sequence[Trait]) -> None:
    newest: dict[tuple[UUID, str], list[Trait]] = {}
    for trait in traits:
        rivals = newest.setdefault((trait.leaf, trait.key), [])
        if rivals and trait.set_at > rivals[0].set_at:
            rivals.clear()
        if not rivals or trait.set_at == rivals[0].set_at:
            rivals.append(trait)
    kept = [trait for rivals in newest.values() for trait in rivals]
    await connection.execute(
        _SET_TRAITS,
        tenant_id,
        [trait.leaf for trait in kept],
        [trait.key for trait in kept],
        [trait.set_at for trait in kept],
        [trait.value for trait in kept],
    )
