"""Reads of persons: who an id belongs to, what leads to a person, what is known of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, Text, case, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.identity.nodes import Kind, external_id_name, leaf_id, user_id_name
from chatnation.core.ids import client_uuid
from chatnation.core.storage.models import (
    identities,
    identity_issues,
    identity_links,
    identity_log,
    person_merges,
    person_traits,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """An id that leads to a person. `first_seen` and `last_seen` are to the minute."""

    leaf_id: UUID
    kind: Kind
    value: str
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A merge, a separation or a split: `leaf_ids` came to or left `person_id`; `detail` says what caused it."""

    id: int
    at: datetime
    action: str
    person_id: UUID
    leaf_ids: tuple[UUID, ...]
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A link at one of a person's ids; `removed_at` is set where an operator split it."""

    a: UUID
    b: UUID
    source: str
    first_seen: datetime
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a person should look at: a merge that was refused, an id that looks shared or meaningless."""

    id: int
    at: datetime
    kind: str
    subject: str
    detail: dict[str, Any]
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonBrief:
    """A person with their ids, the strongest first, and traits."""

    person_id: UUID
    identities: tuple[Identity, ...]
    traits: dict[str, Any]

    @property
    def first_seen(self) -> datetime:
        return min(identity.first_seen for identity in self.identities)

    @property
    def last_seen(self) -> datetime:
        return max(identity.last_seen for identity in self.identities)


@dataclass(frozen=True, slots=True)
class PersonView(PersonBrief):
    """A person with everything that leads to them."""

    links: tuple[Evidence, ...]
    log: tuple[LogEntry, ...]


async def resolve(connection: AsyncConnection, tenant_id: int, leaf_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The person of each leaf; a leaf that was never merged is its own person."""
    asked = list(leaf_ids)
    rows = await connection.execute(
        select(person_merges.c.leaf_id, person_merges.c.person_id).where(
            person_merges.c.tenant_id == tenant_id, person_merges.c.leaf_id.in_(asked)
        )
    )
    merged = {row.leaf_id: row.person_id for row in rows}
    return {leaf: merged.get(leaf, leaf) for leaf in asked}


async def leaf_ids(connection: AsyncConnection, tenant_id: int, person_id: UUID) -> list[UUID]:
    """Every leaf of the person that `person_id`, any leaf of theirs, belongs to; the canonical one first."""
    canonical = (await resolve(connection, tenant_id, [person_id]))[person_id]
    rows = await connection.scalars(
        select(person_merges.c.leaf_id)
        .where(person_merges.c.tenant_id == tenant_id, person_merges.c.person_id == canonical)
        .order_by(person_merges.c.leaf_id)
    )
    return [canonical, *rows]


async def traits(connection: AsyncConnection, tenant_id: int, person_id: UUID) -> dict[str, Any]:
    """What identify calls said of a person, by key; of several values the newest, and none where that is null."""
    return await _traits(connection, tenant_id, await leaf_ids(connection, tenant_id, person_id))


async def find(connection: AsyncConnection, tenant_id: int, text: str) -> list[UUID]:
    """The persons that `text` is an id of: a user id, phone number, handle, anonymous id, token, or person id."""
    names = [user_id_name(text), external_id_name(text), (Kind.HANDSHAKE, text.strip().lower())]
    anonymous_id = client_uuid(tenant_id, text.strip())
    candidates = [leaf_id(tenant_id, *name) for name in names if name is not None]
    candidates += [anonymous_id, leaf_id(tenant_id, Kind.ANONYMOUS, str(anonymous_id))]
    seen = await connection.scalars(
        select(identities.c.leaf_id).where(identities.c.tenant_id == tenant_id, identities.c.leaf_id.in_(candidates))
    )
    persons = await resolve(connection, tenant_id, seen)
    return sorted(set(persons.values()))


async def view(connection: AsyncConnection, tenant_id: int, person_id: UUID) -> PersonView | None:
    """Everything that leads to the person of `person_id`, or None if nobody was ever seen under it."""
    leafs = await leaf_ids(connection, tenant_id, person_id)
    found = tuple(await _identities(connection, tenant_id, leafs))
    if not found:
        return None
    return PersonView(
        person_id=leafs[0],
        identities=found,
        traits=await _traits(connection, tenant_id, leafs),
        links=await _links(connection, tenant_id, leafs),
        log=tuple(await log_entries(connection, tenant_id, leafs)),
    )


async def briefs(connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID]) -> dict[UUID, PersonBrief]:
    """Some canonical persons, as far as somebody was ever seen under them."""
    merged = await connection.execute(
        select(person_merges.c.leaf_id, person_merges.c.person_id).where(
            person_merges.c.tenant_id == tenant_id, person_merges.c.person_id.in_(persons)
        )
    )
    person_of_leaf = {person: person for person in persons} | {row.leaf_id: row.person_id for row in merged}
    leafs = list(person_of_leaf)
    known: defaultdict[UUID, list[Identity]] = defaultdict(list)
    for identity in await _identities(connection, tenant_id, leafs):
        known[person_of_leaf[identity.leaf_id]].append(identity)
    said: defaultdict[UUID, dict[str, Any]] = defaultdict(dict)
    rows = await connection.execute(
        select(person_traits.c.leaf_id, person_traits.c.key, person_traits.c.value)
        .where(person_traits.c.tenant_id == tenant_id, person_traits.c.leaf_id.in_(leafs))
        .order_by(person_traits.c.set_at, person_traits.c.value)
    )
    for row in rows:
        said[person_of_leaf[row.leaf_id]][row.key] = row.value
    return {
        person: PersonBrief(
            person, tuple(found), {key: value for key, value in said[person].items() if value is not None}
        )
        for person, found in known.items()
    }


async def _identities(connection: AsyncConnection, tenant_id: int, leafs: Sequence[UUID]) -> list[Identity]:
    rows = await connection.execute(
        select(
            identities.c.leaf_id,
            identities.c.kind,
            identities.c.value,
            identities.c.first_seen,
            identities.c.last_seen,
        )
        .where(identities.c.tenant_id == tenant_id, identities.c.leaf_id.in_(leafs))
        .order_by(_rank(), identities.c.first_seen, identities.c.leaf_id)
    )
    return [Identity(row.leaf_id, Kind(row.kind), *row[2:]) for row in rows]


async def log_entries(
    connection: AsyncConnection, tenant_id: int, persons: Sequence[UUID] | None = None, *, limit: int = 200
) -> list[LogEntry]:
    """Merges and splits, the newest first: of `persons` only, or of the whole tenant."""
    query = (
        select(
            identity_log.c.id,
            identity_log.c.at,
            identity_log.c.action,
            identity_log.c.person_id,
            identity_log.c.leaf_ids,
            identity_log.c.detail,
        )
        .where(identity_log.c.tenant_id == tenant_id)
        .order_by(identity_log.c.id.desc())
        .limit(limit)
    )
    if persons is not None:
        query = query.where(identity_log.c.person_id.in_(persons))
    return [
        LogEntry(row.id, row.at, row.action, row.person_id, tuple(map(UUID, row.leaf_ids)), row.detail)
        for row in await connection.execute(query)
    ]


async def issues(
    connection: AsyncConnection,
    tenant_id: int,
    *,
    about: Sequence[UUID] | None = None,
    resolved: bool = False,
    limit: int = 200,
) -> list[Issue]:
    """Open issues, or those that were resolved, the newest first: `about` some leafs only, or of the whole tenant."""
    is_open: ColumnElement[bool] = identity_issues.c.resolved_at.is_(None)
    narrowed: ColumnElement[bool] = true()
    if about is not None:
        leafs = func.string_to_array(identity_issues.c.subject, ":", type_=ARRAY(Text))
        narrowed = leafs.overlap([str(leaf) for leaf in about])
    rows = await connection.execute(
        select(
            identity_issues.c.id,
            identity_issues.c.at,
            identity_issues.c.kind,
            identity_issues.c.subject,
            identity_issues.c.detail,
            identity_issues.c.resolved_at,
        )
        .where(identity_issues.c.tenant_id == tenant_id, ~is_open if resolved else is_open, narrowed)
        .order_by(identity_issues.c.id.desc())
        .limit(limit)
    )
    return [Issue(*row) for row in rows]


async def _traits(connection: AsyncConnection, tenant_id: int, leafs: Sequence[UUID]) -> dict[str, Any]:
    rows = await connection.execute(
        select(person_traits.c.key, person_traits.c.value)
        .ext(distinct_on(person_traits.c.key))
        .where(person_traits.c.tenant_id == tenant_id, person_traits.c.leaf_id.in_(leafs))
        .order_by(person_traits.c.key, person_traits.c.set_at.desc(), person_traits.c.value.desc())
    )
    return {row.key: row.value for row in rows if row.value is not None}


async def _links(connection: AsyncConnection, tenant_id: int, leafs: Sequence[UUID]) -> tuple[Evidence, ...]:
    rows = await connection.execute(
        select(
            identity_links.c.a,
            identity_links.c.b,
            identity_links.c.source,
            identity_links.c.first_seen,
            identity_links.c.removed_at,
        )
        .where(
            identity_links.c.tenant_id == tenant_id,
            or_(identity_links.c.a.in_(leafs), identity_links.c.b.in_(leafs)),
        )
        .order_by(identity_links.c.first_seen, identity_links.c.a, identity_links.c.b, identity_links.c.source)
    )
    return tuple(Evidence(*row) for row in rows)


def _rank() -> ColumnElement[int]:
    return case({kind.value: rank for rank, kind in enumerate(Kind)}, value=cast(identities.c.kind, String))


def person_of(leaf_column: ColumnElement[UUID], tenant_column: ColumnElement[int]) -> ColumnElement[UUID]:
    """SQL for the person behind a leaf column, for queries that do not join `person_merges` themselves."""
    merged = (
        select(person_merges.c.person_id)
        .where(person_merges.c.tenant_id == tenant_column, person_merges.c.leaf_id == leaf_column)
        .scalar_subquery()
    )
    return func.coalesce(merged, leaf_column)
