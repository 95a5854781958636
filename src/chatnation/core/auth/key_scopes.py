"""What whoever makes a key may let it do."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from chatnation.core.auth.key_actors import READ_PERMISSIONS
from chatnation.core.auth.keys import KeyType
from chatnation.core.auth.names import InvalidName
from chatnation.core.auth.refusals import NotAllowed

if TYPE_CHECKING:
    from chatnation.core.context import Actor


def scopes_of(kind: KeyType, scopes: Collection[str]) -> frozenset[str]:
    """What a key that was made with `scopes` may do besides sending events."""
    return frozenset(scopes) or (READ_PERMISSIONS if kind is KeyType.READ else frozenset())


def checked_scopes(actor: Actor, kind: KeyType, scopes: Collection[str], known: Collection[str]) -> list[str]:
    """The scopes to make a key with: those that were asked for, or of a read key what its maker may read.

    Raises InvalidName for a scope that no part of the product knows, or for any scope of a write key, which is public;
    NotAllowed for one that `actor` does not hold: a key may do no more than who makes it.
    """
    if kind is KeyType.WRITE and scopes:
        raise InvalidName("A write key stands in the source of a page, so that it can have no scopes.")
    unknown = sorted(set(scopes) - set(known))
    if unknown:
        raise InvalidName(f"There is no permission {unknown[0]}.")
    wanted = frozenset(scopes)
    if not wanted and kind is KeyType.READ:
        wanted = READ_PERMISSIONS & actor.permissions
        if not wanted:
            raise NotAllowed("You may not read reports yourself; say which permissions of yours the key gets.")
    check_within(actor, wanted)
    return sorted(wanted)


def check_within(actor: Actor, scopes: Collection[str]) -> None:
    """Raise NotAllowed unless `actor` holds all of `scopes`."""
    beyond = sorted(set(scopes) - actor.permissions)
    if beyond:
        raise NotAllowed(f"You do not hold {beyond[0]} yourself, so no key of yours can.")
