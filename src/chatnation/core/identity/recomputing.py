"""Works out again who is who, among the persons that new or removed evidence touches.

Always for whole persons, and one transaction at a time within a tenant: whoever holds the identity lock sees every link
that anybody committed before, so the last to commit leaves the answer that follows from all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from chatnation.core.identity.nodes import Kind
from chatnation.core.identity.resolution import (
    CROWDED_AFTER_LINKS,
    Doubt,
    Link,
    Reason,
    Resolution,
    Source,
    doubts,
    resolve,
)

if TYPE_CHECKING:
    import asyncpg

_NEAR = """
SELECT near.*, far.kind AS far_kind FROM (
    SELECT a, b, source, first_seen, b AS far_id FROM identity_links
    WHERE tenant_id = $1 AND a = asked.leaf_id AND removed_at IS NULL
    UNION ALL
    SELECT a, b, source, first_seen, a AS far_id FROM identity_links
    WHERE tenant_id = $1 AND b = asked.leaf_id AND removed_at IS NULL
) AS near
JOIN identities AS far ON far.tenant_id = $1 AND far.leaf_id = near.far_id
"""
# Of an id with very many links only so many are read as show that it is one.
_LINKS_AT = f"""
SELECT asked.leaf_id, found.* FROM unnest($2::uuid[]) AS asked (leaf_id) CROSS JOIN LATERAL (
    ({_NEAR} WHERE far.kind <> 'handshake' LIMIT $3) UNION ALL ({_NEAR} WHERE far.kind = 'handshake')
) AS found
"""
_PERSONS_AT = """
SELECT leaf_id, person_id FROM person_merges WHERE tenant_id = $1 AND leaf_id = ANY ($2)
UNION
SELECT leaf_id, person_id FROM person_merges WHERE tenant_id = $1 AND person_id = ANY ($2)
"""
_KINDS_OF = "SELECT leaf_id, kind FROM identities WHERE tenant_id = $1 AND leaf_id = ANY ($2)"
_PUT_APART = "DELETE FROM person_merges WHERE tenant_id = $1 AND leaf_id = ANY ($2)"
_PUT_TOGETHER = """
INSERT INTO person_merges (tenant_id, leaf_id, person_id) SELECT $1::int4, * FROM unnest($2::uuid[], $3::uuid[])
ON CONFLICT (tenant_id, leaf_id) DO UPDATE SET person_id = excluded.person_id
"""
_LOG = """
INSERT INTO identity_log (tenant_id, action, person_id, leaf_ids, detail)
SELECT $1::int4, * FROM unnest($2::text[], $3::uuid[], $4::jsonb[], $5::jsonb[])
"""
_RAISE = """
INSERT INTO identity_issues (tenant_id, kind, subject, detail)
SELECT $1::int4, * FROM unnest($2::text[], $3::text[], $4::jsonb[])
ON CONFLICT (tenant_id, kind, subject) DO NOTHING
"""
_SETTLE = """
UPDATE identity_issues SET resolved_at = now()
WHERE tenant_id = $1 AND kind = ANY ($2) AND subject = ANY ($3) AND resolved_at IS NULL
"""


@dataclass(slots=True)
class Neighbourhood:
    """Everything that may change together: ids, the links that count among them, the persons they count for so far.

    Links of `doubtful` ids are left out, and what lies behind them is not part of it.
    """

    kinds: dict[UUID, Kind]
    links: set[Link]
    persons: dict[UUID, UUID]
    doubtful: dict[UUID, Doubt]


@dataclass(frozen=True, slots=True)
class Change:
    """`leafs` came to `person` (action merge) or left it (separate)."""

    action: str
    person: UUID
    leafs: tuple[UUID, ...]
    detail: Mapping[str, object] = field(default_factory=dict)


async def recompute(connection: asyncpg.Connection[Any], tenant_id: int, seeds: Iterable[UUID]) -> list[Change]:
    """Bring `person_merges` in step with the links around `seeds`, raise or settle issues; gives what changed.

    The caller holds the identity lock.
    """
    found = await neighbourhood(connection, tenant_id, seeds)
    resolution = resolve(found.kinds, found.links)
    await _write_persons(connection, tenant_id, found.persons, resolution.persons)
    await _write_issues(connection, tenant_id, found, resolution)
    return compare(found.persons, resolution)


async def log_changes(connection: asyncpg.Connection[Any], tenant_id: int, changes: Sequence[Change]) -> None:
    """Add `changes` to the tenant's merge log."""
    if changes:
        await connection.execute(
            _LOG,
            tenant_id,
            [change.action for change in changes],
            [change.person for change in changes],
            [msgspec.json.encode(change.leafs) for change in changes],
            [msgspec.json.encode(change.detail) for change in changes],
        )


async def neighbourhood(connection: asyncpg.Connection[Any], tenant_id: int, seeds: Iterable[UUID]) -> Neighbourhood:
    """The neighbourhood of `seeds`: along links, but not through doubtful ids, and whoever is one person with them."""
    kinds: dict[UUID, Kind] = {}
    links: dict[UUID, set[Link]] = defaultdict(set)
    persons: dict[UUID, UUID] = {}
    doubtful: dict[UUID, Doubt] = {}
    visited: set[UUID] = set()
    frontier = set(seeds)
    while frontier:
        visited |= frontier
        for row in await connection.fetch(_KINDS_OF, tenant_id, frontier):
            kinds[row["leaf_id"]] = Kind(row["kind"])
        for row in await connection.fetch(_LINKS_AT, tenant_id, frontier & kinds.keys(), CROWDED_AFTER_LINKS + 1):
            kinds[row["far_id"]] = Kind(row["far_kind"])
            links[row["leaf_id"]].add(Link(row["a"], row["b"], Source(row["source"]), row["first_seen"]))
        reached: set[UUID] = set()
        for row in await connection.fetch(_PERSONS_AT, tenant_id, frontier):
            persons[row["leaf_id"]] = row["person_id"]
            reached |= {row["leaf_id"], row["person_id"]}
        for leaf in frontier:
            doubt = doubts(kinds, links[leaf]).get(leaf)
            if doubt is not None:
                doubtful[leaf] = doubt
            else:
                reached.update(end for link in links[leaf] for end in (link.a, link.b))
        frontier = reached - visited
    known = visited & kinds.keys()
    counting = known - doubtful.keys()
    return Neighbourhood(
        kinds={leaf: kinds[leaf] for leaf in known},
        links={link for leaf in counting for link in links[leaf] if {link.a, link.b} <= counting},
        persons={leaf: persons.get(leaf, leaf) for leaf in known},
        doubtful=doubtful,
    )


def compare(before: Mapping[UUID, UUID], resolution: Resolution) -> list[Change]:
    """What the new answer changes for the persons there were before."""
    return [*_separations(before, resolution.persons), *_merges(before, resolution)]


def _separations(before: Mapping[UUID, UUID], now: Mapping[UUID, UUID]) -> list[Change]:
    left: dict[tuple[UUID, UUID], list[UUID]] = defaultdict(list)
    for leaf, person in before.items():
        if now[leaf] != now.get(person, person):
            left[person, now[leaf]].append(leaf)
    return [Change("separate", person, tuple(sorted(leafs))) for (person, _), leafs in sorted(left.items())]


def _merges(before: Mapping[UUID, UUID], resolution: Resolution) -> list[Change]:
    """One change for each link that brought together what was apart before."""
    together: dict[tuple[UUID, UUID], set[UUID]] = defaultdict(set)
    group_of: dict[UUID, set[UUID]] = {}
    for leaf, person in before.items():
        group_of[leaf] = together[person, resolution.persons[leaf]]
        group_of[leaf].add(leaf)
    changes = []
    for link in resolution.joined:
        stays, comes = group_of[link.a], group_of[link.b]
        if stays is comes:
            continue
        person = resolution.persons[link.a]
        if person in comes or (person not in stays and len(comes) > len(stays)):
            stays, comes = comes, stays
        changes.append(Change("merge", person, tuple(sorted(comes)), {"cause": link}))
        stays |= comes
        group_of.update(dict.fromkeys(comes, stays))
    return changes


async def _write_persons(
    connection: asyncpg.Connection[Any], tenant_id: int, before: Mapping[UUID, UUID], now: Mapping[UUID, UUID]
) -> None:
    changed = {leaf: person for leaf, person in now.items() if before[leaf] != person}
    apart = [leaf for leaf, person in changed.items() if leaf == person]
    together = [(leaf, person) for leaf, person in changed.items() if leaf != person]
    if apart:
        await connection.execute(_PUT_APART, tenant_id, apart)
    if together:
        leafs, persons = zip(*together, strict=True)
        await connection.execute(_PUT_TOGETHER, tenant_id, leafs, persons)


async def _write_issues(
    connection: asyncpg.Connection[Any], tenant_id: int, found: Neighbourhood, resolution: Resolution
) -> None:
    raised: list[tuple[str, str, object]] = [
        *((refusal.reason.value, _subject(refusal.link), refusal.link) for refusal in resolution.refused),
        *((doubt.value, str(leaf), {"kind": found.kinds[leaf]}) for leaf, doubt in found.doubtful.items()),
    ]
    if raised:
        kinds, subjects, details = zip(*raised, strict=True)
        await connection.execute(_RAISE, tenant_id, kinds, subjects, list(map(msgspec.json.encode, details)))
    refused = {_subject(refusal.link) for refusal in resolution.refused}
    settled = {_subject(link) for link in found.links if resolution.persons[link.a] == resolution.persons[link.b]}
    if settled - refused and Source.ALIAS in {link.source for link in resolution.joined}:
        await connection.execute(_SETTLE, tenant_id, [*Reason], list(settled - refused))


def _subject(link: Link) -> str:
    return f"{link.a}:{link.b}"
