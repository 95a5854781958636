"""Who is who, as a pure function of the evidence.

Ids are nodes, and everything that ever said "these two are the same" is a link. Links are taken in the order in which
they first happened, and each joins the two persons at its ends, unless a rule forbids it:

- **One of a kind.** A person has one user id, one phone number, one handle. A link that would give a person two is
  refused; only an alias, which says so explicitly, may do that.
- **A token is spent once.** A handshake token joins the earliest browser and the earliest contact that carried it; so
  whoever a link is forwarded to does not become the person who received it.
- **Shared ids join nobody.** A browser or phone that more than `SHARED_AFTER_USERS` users were seen with says nothing
  about any of them. Nor does an id with more than `CROWDED_AFTER_LINKS` links: it is a test account, or what a program
  sends for everybody. None of their links counts.

The answer depends on the set of links only, never on the order in which they arrived, because their order is part of
them. So a late event, a retry, or another worker cannot change who is who in the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chatnation.core.identity.nodes import EXCLUSIVE, RANK, Kind

SHARED_AFTER_USERS = 5
"""A device with more users than this is shared: a kiosk, a cyber café, a test phone."""


CROWDED_AFTER_LINKS = 1_000
"""An id with more links than this, those to tokens aside, leads to no one person."""


class Source(StrEnum):
    """Where a link comes from."""

    IDENTIFY = "identify"
    LOGIN = "login"
    ALIAS = "alias"
    EXTERNAL_ID = "external_id"
    HANDSHAKE = "handshake"


class Reason(StrEnum):
    """Why a link was refused."""

    TWO_USERS = "two_users"
    TWO_PHONES = "two_phones"
    TWO_HANDLES = "two_handles"


class Doubt(StrEnum):
    """Why an id joins nobody."""

    SHARED = "shared_id"
    CROWDED = "crowded_id"


_REASONS = {Kind.USER: Reason.TWO_USERS, Kind.PHONE: Reason.TWO_PHONES, Kind.HANDLE: Reason.TWO_HANDLES}


@dataclass(frozen=True, slots=True)
class Link:
    """Evidence that leafs `a` and `b` (the smaller first) are one person, and when an event first said so."""

    a: UUID
    b: UUID
    source: Source
    first_seen: datetime

    @property
    def order(self) -> tuple[datetime, UUID, UUID, str]:
        """Its place among links: time first, then what it says, so that equal times have an order too."""
        return self.first_seen, self.a, self.b, self.source


@dataclass(frozen=True, slots=True)
class Refusal:
    """A link that was left out although it may be true; a person should look at it."""

    link: Link
    reason: Reason


@dataclass(frozen=True, slots=True)
class Resolution:
    """`persons` maps every leaf to its canonical leaf; `joined` are the links that did it, in order.

    `doubtful` are the leafs that join nobody.
    """

    persons: dict[UUID, UUID]
    joined: list[Link] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    doubtful: Mapping[UUID, Doubt] = field(default_factory=dict)


def resolve(
    kinds: Mapping[UUID, Kind],
    links: Iterable[Link],
    *,
    shared_after: int = SHARED_AFTER_USERS,
    crowded_after: int = CROWDED_AFTER_LINKS,
) -> Resolution:
    """Join the leafs of `kinds` by `links`, whose ends must all be in `kinds`.

    The canonical leaf of a person is its strongest id; of several of that kind, the smallest.
    """
    ordered = sorted(links, key=lambda link: link.order)
    doubtful = doubts(kinds, ordered, shared_after=shared_after, crowded_after=crowded_after)
    counting = [link for link in ordered if link.a not in doubtful and link.b not in doubtful]
    groups = _Groups(kinds)
    joined: list[Link] = []
    refused: list[Refusal] = []
    for link in _spent_once(kinds, counting):
        if groups.find(link.a) == groups.find(link.b):
            continue
        clash = groups.clash(link.a, link.b)
        if clash is not None and link.source is not Source.ALIAS:
            refused.append(Refusal(link, _REASONS[clash]))
            continue
        groups.join(link.a, link.b)
        joined.append(link)
    persons = groups.canonical()
    still_apart = [refusal for refusal in refused if persons[refusal.link.a] != persons[refusal.link.b]]
    return Resolution(persons, joined, still_apart, doubtful)


def doubts(
    kinds: Mapping[UUID, Kind],
    links: Iterable[Link],
    *,
    shared_after: int = SHARED_AFTER_USERS,
    crowded_after: int = CROWDED_AFTER_LINKS,
) -> dict[UUID, Doubt]:
    """The leafs of which none of the `links` counts. Only what is said at a leaf itself decides about it."""
    users: dict[UUID, set[UUID]] = defaultdict(set)
    count: Counter[UUID] = Counter()
    for link in links:
        for leaf, other in ((link.a, link.b), (link.b, link.a)):
            if kinds[other] is not Kind.HANDSHAKE:
                count[leaf] += 1
            if kinds[other] is Kind.USER and kinds[leaf] is not Kind.USER:
                users[leaf].add(other)
    crowded = {leaf: Doubt.CROWDED for leaf, number in count.items() if number > crowded_after}
    return {**crowded, **{leaf: Doubt.SHARED for leaf, seen in users.items() if len(seen) > shared_after}}


def cut(kinds: Mapping[UUID, Kind], links: Iterable[Link], x: UUID, y: UUID) -> list[Link]:
    """The links to remove so that `x` and `y` are two persons, the latest evidence first.

    On the path of links that joined them the latest one goes, again and again until no path is left. Every link between
    the same two ids goes with it, whatever its source.
    """
    left = list(links)
    removed: list[Link] = []
    while True:
        resolution = resolve(kinds, left)
        if resolution.persons[x] != resolution.persons[y]:
            return removed
        weakest = max(_path(resolution.joined, x, y), key=lambda link: link.order)
        removed += [link for link in left if (link.a, link.b) == (weakest.a, weakest.b)]
        left = [link for link in left if (link.a, link.b) != (weakest.a, weakest.b)]


def _spent_once(kinds: Mapping[UUID, Kind], ordered: Iterable[Link]) -> Iterable[Link]:
    """`ordered` without the links by which a handshake token leads to a second node of a kind."""
    carrier: dict[tuple[UUID, Kind], UUID] = {}
    for link in ordered:
        kept = True
        for token, other in ((link.a, link.b), (link.b, link.a)):
            if kinds[token] is Kind.HANDSHAKE:
                kept = kept and carrier.setdefault((token, kinds[other]), other) == other
        if kept:
            yield link


def _path(forest: Iterable[Link], start: UUID, end: UUID) -> list[Link]:
    """The links between two leafs of one tree."""
    neighbours: dict[UUID, list[tuple[UUID, Link]]] = defaultdict(list)
    for link in forest:
        neighbours[link.a].append((link.b, link))
        neighbours[link.b].append((link.a, link))
    came_by: dict[UUID, tuple[UUID, Link]] = {}
    waiting = [start]
    while waiting:
        here = waiting.pop()
        for there, link in neighbours[here]:
            if there != start and there not in came_by:
                came_by[there] = (here, link)
                waiting.append(there)
    path: list[Link] = []
    while end != start:
        end, link = came_by[end]
        path.append(link)
    return path


class _Groups:
    """Disjoint sets of leafs, each with its strongest leaf and the exclusive kinds it holds."""

    def __init__(self, kinds: Mapping[UUID, Kind]) -> None:
        self._parent = {leaf: leaf for leaf in kinds}
        self._strongest = {leaf: (RANK[kind], leaf) for leaf, kind in kinds.items()}
        self._held = {leaf: frozenset({kind} & EXCLUSIVE) for leaf, kind in kinds.items()}
        self._size = dict.fromkeys(kinds, 1)

    def find(self, leaf: UUID) -> UUID:
        parent = self._parent
        while parent[leaf] != leaf:
            parent[leaf] = leaf = parent[parent[leaf]]
        return leaf

    def clash(self, a: UUID, b: UUID) -> Kind | None:
        """The strongest exclusive kind that both groups hold."""
        both = self._held[self.find(a)] & self._held[self.find(b)]
        return min(both, key=_rank) if both else None

    def join(self, a: UUID, b: UUID) -> None:
        root, other = self.find(a), self.find(b)
        if self._size[root] < self._size[other]:
            root, other = other, root
        self._parent[other] = root
        self._size[root] += self._size[other]
        self._held[root] |= self._held[other]
        self._strongest[root] = min(self._strongest[root], self._strongest[other])

    def canonical(self) -> dict[UUID, UUID]:
        return {leaf: self._strongest[self.find(leaf)][1] for leaf in self._parent}


_rank: Callable[[Kind], int] = RANK.__getitem__
