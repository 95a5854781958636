"""What events say about who is who.

Two passes, because the first is needed to store an event and the second only counts events that were new:
`Recogniser.recognise` finds the ids on each event and sets its `person_id`; `gather` turns events into sightings, links
and traits. Nothing here does I/O, and everything depends on the events alone, so their order does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from chatnation.core.identity.bad_ids import is_bad_anonymous_id, is_bad_id
from chatnation.core.identity.generations import Generations
from chatnation.core.identity.nodes import (
    RANK,
    Kind,
    Name,
    Node,
    digits,
    external_id_name,
    leaf_id,
    user_id_name,
)
from chatnation.core.identity.resolution import Source
from chatnation.core.ids import client_uuid
from chatnation.core.ingestion.event import Event, EventBatch

HANDSHAKE_TOKEN = re.compile(rb"\bcn-[0-9abcdefghjkmnpqrstvwxyz]{12}\b", re.IGNORECASE)
"""A token that the tracker's `whatsappLink` puts into a prefilled text."""

MESSAGE_EVENTS = frozenset({"message.received", "message.sent"})

MAX_TRAITS = 100
MAX_TRAIT_KEY = 100
"""Characters."""
MAX_TRAIT_VALUE = 8_000
"""Bytes of JSON."""

_NOT_TRAITS = frozenset({"userId", "user_id", "anonymousId", "anonymous_id", "journeyStart", "journeyEnd"})

_Properties = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT_KEYS = ("text", "content", "caption", "body")


class LinkKey(NamedTuple):
    """Which link: the two leafs, the smaller first, and where it comes from."""

    a: UUID
    b: UUID
    source: Source


@dataclass(slots=True, eq=False)
class Ids:
    """The ids on an event, bad ones left out. Events with the same ids share one of these.

    `claimed` comes from the user id, `contact` from the external id, `device` from the anonymous id; a user id that is
    the contact's own number is no second node.
    """

    claimed: Node | None = None
    contact: Node | None = None
    device: Node | None = None
    bad: tuple[str, ...] = ()
    person: Node | None = field(init=False)
    nodes: tuple[Node, ...] = field(init=False)

    def __post_init__(self) -> None:
        present = (node for node in (self.claimed, self.contact, self.device) if node is not None)
        self.nodes = tuple(sorted(present, key=lambda node: RANK[node.kind]))
        self.person = self.nodes[0] if self.nodes else None

    def links(self, *, identifies: bool) -> Iterator[LinkKey]:
        """The links between these ids, each of the weaker ones with the strongest claim."""
        if self.claimed is not None and self.device is not None:
            source = Source.IDENTIFY if identifies else Source.LOGIN
            yield link_key(self.claimed.leaf, self.device.leaf, source)
        other = self.claimed or self.device
        if self.contact is not None and other is not None:
            yield link_key(self.contact.leaf, other.leaf, Source.EXTERNAL_ID)


@dataclass(slots=True)
class Trait:
    """A value that an identify call gave to a key of a leaf; `value` is JSON text, ``null`` clears."""

    leaf: UUID
    key: str
    value: bytes
    set_at: datetime


@dataclass(slots=True)
class Evidence:
    """What a batch of new events says: when ids were seen, what joins them, and what people are like."""

    sightings: dict[Node, tuple[datetime, datetime]] = field(default_factory=dict)
    links: dict[LinkKey, datetime] = field(default_factory=dict)
    traits: list[Trait] = field(default_factory=list)
    bad_ids: set[str] = field(default_factory=set)

    def see(self, node: Node, first: datetime, last: datetime) -> None:
        """The id `node` was on events between these times."""
        seen = self.sightings.get(node)
        self.sightings[node] = (min(seen[0], first), max(seen[1], last)) if seen else (first, last)

    def say(self, link: LinkKey, time: datetime) -> None:
        """An event at `time` says that the ends of `link` are one person."""
        said = self.links.get(link)
        if said is None or time < said:
            self.links[link] = time


def link_key(x: UUID, y: UUID, source: Source) -> LinkKey:
    """The key of the link between two leafs, whichever is named first."""
    return LinkKey(x, y, source) if x < y else LinkKey(y, x, source)


class Recogniser:
    """Finds the ids on events, and remembers those of recent ones: one per process.

    A visitor sends many events, so what an id hashes to, and what the database already holds about it, is worked out
    once. Call `forget` when the database may have lost what is remembered.
    """

    def __init__(self, remembered: int = 50_000) -> None:
        self._ids: Generations[tuple[object, ...], Ids] = Generations(remembered)
        self._nodes: Generations[tuple[int, Kind, str], Node] = Generations(2 * remembered)

    def forget(self) -> None:
        """Start anew."""
        self._ids.clear()
        self._nodes.clear()

    def recognise(self, batch: EventBatch) -> list[Ids]:
        """The ids of each event, in order. Sets `person_id`, and clears ids that name nobody."""
        tenant_id = batch.tenant_id
        found: list[Ids] = []
        last: tuple[object, ...] | None = None
        ids = Ids()
        for event in batch.events:
            key = (event.anonymous_id, event.user_id, event.external_id)
            if key != last:  # Events that came together mostly have the same, and a comparison is cheaper than a hash.
                ids, last = self._ids_of(tenant_id, key, event), key
            if ids.bad:
                _clear_bad(event, ids)
            if ids.person is not None:
                event.person_id = ids.person.leaf
            elif event.handshake_token and (token := self.token(tenant_id, event.handshake_token)):
                event.person_id = token.leaf
            found.append(ids)
        return found

    def _ids_of(self, tenant_id: int, key: tuple[object, ...], event: Event) -> Ids:
        ids = self._ids.get((tenant_id, *key))
        if ids is None:
            ids = self._ids[tenant_id, *key] = self._read(tenant_id, event)
        return ids

    def token(self, tenant_id: int, text: str) -> Node | None:
        """The node of a handshake token; our own tokens are the same in any case."""
        text = text.strip()
        if HANDSHAKE_TOKEN.fullmatch(text.encode("utf-8", "replace")):
            text = text.lower()
        return None if is_bad_id(text) else self._node(tenant_id, Kind.HANDSHAKE, text)

    def gather(self, batch: EventBatch, ids: Iterable[Ids]) -> Evidence:
        """The evidence in the events of `batch`, of which `ids` are those that `recognise` found."""
        evidence = Evidence()
        spans: dict[tuple[int, str | None, bool], _Span] = {}
        span: _Span | None = None
        last: tuple[int, str | None, bool] | None = None
        for event, its in zip(batch.events, ids, strict=True):
            time, identifies = event.timestamp, event.event_type == "identify"
            key = (id(its), event.handshake_token, identifies)
            if span is None or key != last:
                span, last = spans.setdefault(key, _Span(its, event, time, time)), key
            if time < span.first:
                span.first = time
            elif time > span.last:
                span.last = time
            if identifies and its.person is not None:
                evidence.traits += traits_of(event, its.person.leaf)
            elif event.previous_id and event.event_type == "alias":
                self._aliased(batch.tenant_id, event, event.previous_id, its, evidence)
            elif event.channel_type == "whatsapp" and event.event_name in MESSAGE_EVENTS:
                for token in tokens_in_message(event):
                    self._shook_hands(batch.tenant_id, token, _carrier(its, event), event.timestamp, evidence)
        for (_, handshake, identifies), span in spans.items():
            for node in span.ids.nodes:
                evidence.see(node, span.first, span.last)
            for link in span.ids.links(identifies=identifies):
                evidence.say(link, span.first)
            if handshake:
                carrier = _carrier(span.ids, span.example)
                self._shook_hands(batch.tenant_id, handshake, carrier, span.first, evidence)
            evidence.bad_ids.update(span.ids.bad)
        return evidence

    def _read(self, tenant_id: int, event: Event) -> Ids:
        bad: list[str] = []
        claimed = contact = device = None
        if event.external_id:
            contact = self._named(tenant_id, external_id_name(event.external_id), event.external_id, bad)
        if event.user_id:
            claimed = self._named(tenant_id, user_id_name(event.user_id), event.user_id, bad)
        if contact is not None and claimed is not None and _same_contact(claimed, contact):
            claimed, contact = (contact if contact.kind is Kind.PHONE else claimed), None
        if event.anonymous_id is not None:
            if is_bad_anonymous_id(tenant_id, event.anonymous_id):
                bad.append(str(event.anonymous_id))
            else:
                device = self._node(tenant_id, Kind.ANONYMOUS, str(event.anonymous_id))
        return Ids(claimed, contact, device, tuple(bad))

    def _named(self, tenant_id: int, name: Name | None, text: str, bad: list[str]) -> Node | None:
        if name is None:
            bad.append(text)
            return None
        return self._node(tenant_id, *name)

    def _node(self, tenant_id: int, kind: Kind, value: str) -> Node:
        """The one object for this node, so that what is known of it is known wherever it turns up."""
        key = (tenant_id, kind, value)
        found = self._nodes.get(key)
        if found is None:
            found = self._nodes[key] = Node(leaf_id(tenant_id, kind, value), kind, value)
        return found

    def _aliased(self, tenant_id: int, event: Event, previous_id: str, ids: Ids, evidence: Evidence) -> None:
        """The previous id may have been a user's or a browser's, and may not have been seen yet: it stands for both."""
        now = ids.claimed or ids.device
        name = user_id_name(previous_id)
        if now is None or name is None:
            return
        before = self._node(tenant_id, *name)
        if before is now:
            return
        candidates = [before]
        if before.kind is Kind.USER:
            anonymous_id = client_uuid(tenant_id, previous_id.strip())
            candidates.append(self._node(tenant_id, Kind.ANONYMOUS, str(anonymous_id)))
        for candidate in candidates:
            if candidate is not now:
                evidence.see(candidate, event.timestamp, event.timestamp)
                evidence.say(link_key(now.leaf, candidate.leaf, Source.ALIAS), event.timestamp)

    def _shook_hands(self, tenant_id: int, text: str, carrier: Node | None, time: datetime, evidence: Evidence) -> None:
        token = self.token(tenant_id, text)
        if token is None or carrier is None:
            return
        evidence.see(token, time, time)
        evidence.say(link_key(token.leaf, carrier.leaf, Source.HANDSHAKE), time)


@dataclass(slots=True)
class _Span:
    """Events with the same ids: the first and last time, and one of them."""

    ids: Ids
    example: Event
    first: datetime
    last: datetime


def traits_of(event: Event, leaf: UUID) -> list[Trait]:
    """The traits in an identify event's properties; what is too large or too many is left out."""
    try:
        properties = _Properties.decode(event.properties)
    except msgspec.DecodeError:
        return []
    return [
        Trait(leaf, key, bytes(value), event.timestamp)
        for key, value in list(properties.items())[:MAX_TRAITS]
        if key not in _NOT_TRAITS and len(key) <= MAX_TRAIT_KEY and len(memoryview(value)) <= MAX_TRAIT_VALUE
    ]


def tokens_in_message(event: Event) -> set[str]:
    """Our handshake tokens in the text of a message, in lower case."""
    if HANDSHAKE_TOKEN.search(event.properties) is None:
        return set()
    try:
        properties = _Properties.decode(event.properties)
    except msgspec.DecodeError:
        return set()
    return {
        token.decode().lower()
        for key in _TEXT_KEYS
        if key in properties
        for token in HANDSHAKE_TOKEN.findall(memoryview(properties[key]))
    }


def _same_contact(claimed: Node, contact: Node) -> bool:
    """Whether a user id is only the contact's number or handle once more."""
    if claimed.kind is Kind.USER and contact.kind is Kind.PHONE:
        return claimed.value.removeprefix("+").isdecimal() and digits(claimed.value) == contact.value
    return claimed.value == contact.value


def _carrier(ids: Ids, event: Event) -> Node | None:
    """Whom a token on `event` leads to: a message to the contact, anything else to the browser."""
    if event.channel_type == "whatsapp":
        return ids.contact or ids.person
    return ids.device or ids.person


def _clear_bad(event: Event, ids: Ids) -> None:
    if ids.claimed is None and event.user_id in ids.bad:
        event.user_id = None
    if event.external_id in ids.bad:
        event.external_id = None
    if ids.device is None:
        event.anonymous_id = None
