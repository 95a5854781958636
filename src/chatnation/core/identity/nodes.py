"""The ids that lead to persons, as nodes of a graph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chatnation.core.identity.bad_ids import is_bad_id
from chatnation.core.ids import hashed_uuid


class Kind(StrEnum):
    """What sort of id a node is. A stronger one gives a person its name, and an event its leaf."""

    USER = "user"
    """What `identify` was called with: a tax PIN, an account number."""
    PHONE = "phone"
    """An international number, digits only."""
    HANDLE = "handle"
    """How a channel names a contact whose number it hides, for example a WhatsApp business-scoped id."""
    ANONYMOUS = "anonymous"
    """A browser or an installed app."""
    HANDSHAKE = "handshake"
    """A token that travels from one channel to another."""


RANK = {kind: rank for rank, kind in enumerate(Kind)}

Name = tuple[Kind, str]
"""A kind and a value: what a node is within its tenant."""

EXCLUSIVE = frozenset({Kind.USER, Kind.PHONE, Kind.HANDLE})
"""Kinds of which a person has one, unless an alias says otherwise."""

_PHONE_AS_USER_ID = re.compile(r"\+?([0-9]{10,15})")
_PHONE_AS_EXTERNAL_ID = re.compile(r"\+?[0-9][0-9 ().-]{5,24}")
_BUSINESS_SCOPED_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{10,128}")


@dataclass(slots=True, eq=False)
class Node:
    """An id. `leaf` is its person id for ever: a hash of tenant, kind and value.

    `seen` is the range of minutes, first and last, that the database is known to hold for it.
    """

    leaf: UUID
    kind: Kind
    value: str
    seen: tuple[datetime, datetime] | None = None


def leaf_id(tenant_id: int, kind: Kind, value: str) -> UUID:
    """The leaf person id of an id: the same on every machine, so nothing has to be looked up to store an event."""
    return hashed_uuid(tenant_id, kind, value)


def user_id_name(user_id: str) -> Name | None:
    """What a user id names: a phone number when it looks like one (10 to 15 digits), a handle when WhatsApp made it.

    None when it is one of the ids that name nobody.
    """
    text = user_id.strip()
    if is_bad_id(text):
        return None
    if phone := _PHONE_AS_USER_ID.fullmatch(text):
        return Kind.PHONE, phone[1]
    return (Kind.HANDLE if _BUSINESS_SCOPED_ID.fullmatch(text) else Kind.USER), text


def external_id_name(external_id: str) -> Name | None:
    """What an external id names: a phone number, or a handle when it is none. None when it names nobody."""
    text = external_id.strip()
    if is_bad_id(text):
        return None
    return (Kind.PHONE, digits(text)) if _PHONE_AS_EXTERNAL_ID.fullmatch(text) else (Kind.HANDLE, text)


def digits(text: str) -> str:
    """The decimal digits of `text`."""
    return "".join(filter(str.isdecimal, text))
