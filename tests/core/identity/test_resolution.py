"""Who is who, as a function of links."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from chatnation.core.identity.nodes import Kind, leaf_id
from chatnation.core.identity.resolution import (
    CROWDED_AFTER_LINKS,
    SHARED_AFTER_USERS,
    Doubt,
    Link,
    Reason,
    Resolution,
    Source,
    cut,
    doubts,
    resolve,
)

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
LETTERS = {"u": Kind.USER, "p": Kind.PHONE, "h": Kind.HANDLE, "a": Kind.ANONYMOUS, "t": Kind.HANDSHAKE}


def leaf(name: str) -> UUID:
    """The leaf of a node whose first letter says its kind: u1, p1, h1, a1, t1."""
    return leaf_id(1, LETTERS[name[0]], name)


def link(one: str, other: str, minute: int, source: Source = Source.LOGIN) -> Link:
    a, b = sorted((leaf(one), leaf(other)))
    return Link(a, b, source, START + timedelta(minutes=minute))


def kinds_of(names: Iterable[str]) -> dict[UUID, Kind]:
    return {leaf(name): LETTERS[name[0]] for name in names}


def resolved(names: str, *links: Link) -> Resolution:
    return resolve(kinds_of(names.split()), links)


def together(resolution: Resolution, *names: str) -> bool:
    return len({resolution.persons[leaf(name)] for name in names}) == 1


def test_ids_without_links_are_persons_of_their_own() -> None:
    resolution = resolved("u1 a1")
    assert resolution.persons == {leaf("u1"): leaf("u1"), leaf("a1"): leaf("a1")}


def test_a_person_is_named_by_the_strongest_id() -> None:
    resolution = resolved("a1 p1 u1", link("a1", "p1", 1), link("p1", "u1", 2))
    assert set(resolution.persons.values()) == {leaf("u1")}


def test_of_two_strongest_ids_the_smaller_leaf_names_the_person() -> None:
    resolution = resolved("u1 u2", link("u1", "u2", 1, Source.ALIAS))
    assert set(resolution.persons.values()) == {min(leaf("u1"), leaf("u2"))}


def test_two_known_users_on_one_device_stay_two_persons_and_the_first_keeps_it() -> None:
    second = link("a1", "u2", 2)
    resolution = resolved("u1 u2 a1", link("a1", "u1", 1), second)
    assert together(resolution, "u1", "a1")
    assert not together(resolution, "u1", "u2")
    assert [(refusal.link, refusal.reason) for refusal in resolution.refused] == [(second, Reason.TWO_USERS)]


def test_two_phones_stay_two_persons() -> None:
    resolution = resolved("p1 p2 a1", link("a1", "p1", 1), link("a1", "p2", 2))
    assert not together(resolution, "p1", "p2")
    assert resolution.refused[0].reason is Reason.TWO_PHONES


def test_a_user_has_a_phone_and_a_handle() -> None:
    resolution = resolved("u1 p1 h1", link("u1", "p1", 1), link("p1", "h1", 2))
    assert together(resolution, "u1", "p1", "h1")


def test_an_alias_joins_two_known_users_with_all_that_is_theirs() -> None:
    resolution = resolved(
        "u1 u2 a1 a2 p1 p2",
        link("a1", "u1", 1),
        link("a2", "u2", 2),
        link("p1", "u1", 3),
        link("p2", "u2", 4),
        link("u1", "u2", 5, Source.ALIAS),
    )
    assert together(resolution, "u1", "u2", "a1", "a2", "p1", "p2")


def test_a_refusal_that_an_alias_settles_is_no_issue() -> None:
    resolution = resolved("u1 u2 a1", link("a1", "u1", 1), link("a1", "u2", 2), link("u1", "u2", 3, Source.ALIAS))
    assert together(resolution, "u1", "u2", "a1")
    assert resolution.refused == []


def test_a_token_leads_from_the_first_browser_to_the_first_contact_only() -> None:
    resolution = resolved(
        "t1 a1 a2 p1 p2",
        link("t1", "a1", 1, Source.HANDSHAKE),
        link("t1", "a2", 2, Source.HANDSHAKE),
        link("t1", "p1", 3, Source.HANDSHAKE),
        link("t1", "p2", 4, Source.HANDSHAKE),
    )
    assert together(resolution, "t1", "a1", "p1")
    assert not together(resolution, "a1", "a2")
    assert not together(resolution, "p1", "p2")


def test_a_device_of_too_many_users_joins_none_of_them() -> None:
    users = [f"u{number}" for number in range(SHARED_AFTER_USERS + 1)]
    links = [link("a1", user, minute) for minute, user in enumerate(users)]
    resolution = resolved(" ".join(["a1", *users]), *links)
    assert len(set(resolution.persons.values())) == len(users) + 1
    assert resolution.doubtful == {leaf("a1"): Doubt.SHARED}
    one_fewer = resolved(" ".join(["a1", *users]), *links[:-1])
    assert together(one_fewer, "a1", "u0")


def test_a_shared_device_is_no_bridge_either() -> None:
    users = [f"u{number}" for number in range(SHARED_AFTER_USERS + 1)]
    links = [link("a1", user, minute) for minute, user in enumerate(users)]
    token = [link("t1", "a1", 20, Source.HANDSHAKE), link("t1", "p1", 21, Source.HANDSHAKE)]
    resolution = resolved(" ".join(["a1", "t1", "p1", *users]), *links, *token)
    assert not together(resolution, "a1", "p1")


def test_an_id_that_everybody_sends_joins_nobody() -> None:
    devices = [f"a{number}" for number in range(CROWDED_AFTER_LINKS + 1)]
    links = [link(device, "u1", 1) for device in devices]
    resolution = resolved(" ".join(["u1", *devices]), *links)
    assert resolution.doubtful == {leaf("u1"): Doubt.CROWDED}
    assert not together(resolution, "a0", "a1")
    assert together(resolved(" ".join(["u1", *devices]), *links[:-1]), "u1", *devices[:-1])


def test_tokens_do_not_make_a_contact_crowded() -> None:
    tokens = [f"t{number}" for number in range(CROWDED_AFTER_LINKS + 1)]
    resolution = resolved(" ".join(["p1", *tokens]), *(link(token, "p1", 1, Source.HANDSHAKE) for token in tokens))
    assert together(resolution, "p1", *tokens)


def test_cutting_removes_the_latest_evidence_on_the_path() -> None:
    links = [link("a1", "u1", 1), link("a1", "p1", 2), link("p1", "a2", 3)]
    assert cut(kinds_of("u1 a1 p1 a2".split()), links, leaf("u1"), leaf("a2")) == [links[2]]


def test_cutting_removes_every_path_and_every_source() -> None:
    kinds = kinds_of("u1 a1 p1".split())
    links = [
        link("a1", "u1", 1),
        link("a1", "u1", 2, Source.IDENTIFY),
        link("a1", "p1", 3),
        link("p1", "u1", 4),
    ]
    removed = cut(kinds, links, leaf("a1"), leaf("u1"))
    left = [its for its in links if its not in removed]
    assert not together(resolve(kinds, left), "a1", "u1")
    assert {its.source for its in removed} >= {Source.LOGIN, Source.IDENTIFY}


NAMES = [f"{letter}{number}" for letter in LETTERS for number in range(4)]


@st.composite
def link_sets(draw: st.DrawFn) -> list[Link]:
    pairs = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)).filter(lambda pair: pair[0] != pair[1])
    return [
        link(one, other, draw(st.integers(0, 5)), draw(st.sampled_from(Source)))
        for one, other in draw(st.lists(pairs, max_size=25))
    ]


@given(link_sets(), st.randoms(use_true_random=False))
def test_the_order_of_links_does_not_matter(links: list[Link], shuffler: random.Random) -> None:
    kinds = kinds_of(NAMES)
    shuffled = [*links, *links[::2]]
    shuffler.shuffle(shuffled)
    assert resolve(kinds, shuffled).persons == resolve(kinds, links).persons


@given(link_sets())
def test_only_an_alias_gives_a_person_two_of_a_kind(links: list[Link]) -> None:
    kinds = kinds_of(NAMES)
    plain = [its for its in links if its.source is not Source.ALIAS]
    persons = resolve(kinds, plain).persons
    for kind in (Kind.USER, Kind.PHONE, Kind.HANDLE):
        owners = [persons[leaf] for leaf, its in kinds.items() if its is kind]
        assert len(owners) == len(set(owners))


@given(link_sets())
def test_what_lies_behind_doubtful_ids_may_be_left_out(links: list[Link]) -> None:
    """The database loads persons without what lies behind doubtful ids; that must not change the answer."""
    kinds = kinds_of(NAMES)
    whole = resolve(kinds, links, shared_after=1, crowded_after=6)
    without = [its for its in links if its.a not in whole.doubtful and its.b not in whole.doubtful]
    assert whole.doubtful == doubts(kinds, links, shared_after=1, crowded_after=6)
    assert resolve(kinds, without).persons == whole.persons


@given(link_sets(), st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_a_cut_always_cuts(links: list[Link], x: str, y: str) -> None:
    if x == y:
        return
    kinds = kinds_of(NAMES)
    removed = cut(kinds, links, leaf(x), leaf(y))
    left = [its for its in links if its not in removed]
    assert not together(resolve(kinds, left), x, y)
    assert bool(removed) == together(resolve(kinds, links), x, y)
