"""Finding persons by a part of what is known of them, and how much there is of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.identity import queries
from chatnation.core.identity.nodes import digits

SHORTEST = 2
"""Characters that a search needs."""
MOST_MATCHES = 2_000
"""Of more ids or traits with a text some are looked at; nobody finds a person among so many."""
_PHONE_DIGITS = 5
"""With fewer digits than that a text is not taken for a part of a phone number."""
_PHONE_SIGNS = frozenset("+0123456789 ().-")


@dataclass(frozen=True, slots=True)
class Activity:
    """All stored events of a person, known bots' too: how many, the first, the last."""

    events: int
    first_seen: datetime
    last_seen: datetime


async def search(connection: AsyncConnection, tenant_id: int, wanted: str, limit: int) -> list[UUID]:
    """Persons with an id, name, e-mail address or number that contains `wanted`, whatever the case.

    Of two characters, and of the id of a visitor: that begins with it, or has a word that does. Those with exactly this
    id come first, then whoever was seen last. Nobody for less than two characters.
    """
    wanted = wanted.strip()
    if len(wanted) < SHORTEST or "\0" in wanted:
        return []
    found = await queries.find(connection, tenant_id, wanted)
    about = {"tenant": tenant_id, "parts": _parts(wanted), "most": MOST_MATCHES, "limit": limit + len(found)}
    found += [person for person in await connection.scalars(_SEARCH, about) if person not in found]
    return found[:limit]


async def activity(connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]) -> dict[UUID, Activity]:
    """What there is of each of some canonical persons; one without any event is left out."""
    rows = await connection.execute(_ACTIVITY, {"tenant": tenant_id, "persons": list(persons)})
    return {person: Activity(*rest) for person, *rest in rows}


def _parts(wanted: str) -> list[str]:
    """The text, and as a phone number written in one of the usual ways: 0700 000 001 is the end of 254700000001."""
    number = digits(wanted)
    if len(number) < _PHONE_DIGITS or not set(wanted) <= _PHONE_SIGNS:
        return [wanted]
    return [wanted, number.removeprefix("00").removeprefix("0") if number.startswith("0") else number]


_SEARCH = text(
    """
    SELECT coalesce(m.person_id, f.leaf_id) AS person_id
      FROM persons_matching(CAST(:parts AS text[]), :most) AS f
      LEFT JOIN person_merges m ON m.tenant_id = :tenant AND m.leaf_id = f.leaf_id
     GROUP BY 1 ORDER BY max(f.at) DESC, 1 LIMIT :limit
    """
)
_ACTIVITY = text(
    """
    SELECT coalesce(m.person_id, e.person_id), count(*), min(e.timestamp), max(e.timestamp)
      FROM events e
      LEFT JOIN person_merges m ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id
     WHERE e.tenant_id = :tenant
       AND e.person_id = ANY (ARRAY(
            SELECT unnest(CAST(:persons AS uuid[]))
             UNION ALL
            SELECT leaf_id FROM person_merges WHERE tenant_id = :tenant AND person_id = ANY (:persons)))
     GROUP BY 1
    """
)
