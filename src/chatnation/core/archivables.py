"""What can be deleted for good, with a copy of it in an archive: roles, members, and what plugins add."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.context import Actor


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing in a list of those that could be archived. `key` names it in requests, `name` to people."""

    key: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Doomed:
    """Something as it is before it is deleted.

    `name` is what somebody types to confirm; `counts` says in rows by kind what goes with it; `snapshot` is JSON,
    enough to look it up later and, where that makes sense, to restore it.
    """

    key: str
    name: str
    counts: Mapping[str, int] = field(default_factory=dict)
    snapshot: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Archivable:
    """A kind of thing of a tenant that can be archived and deleted.

    All four run in a transaction of the tenant, and raise `ChatnationError` with a sentence for the user where the
    rules are against it. `examine` finds the thing and checks that the actor may delete it; `delete` does so, in the
    same transaction; `restore` makes it again from the snapshot and gives its name. `permission` is asked for besides
    `admin.danger_zone`; `consequences` says in a sentence what becomes of what depends on it.
    """

    entity: str
    label: str
    permission: str
    consequences: str
    choices: Callable[[AsyncConnection, Actor], Awaitable[Sequence[Choice]]]
    examine: Callable[[AsyncConnection, Actor, str], Awaitable[Doomed]]
    delete: Callable[[AsyncConnection, Actor, Doomed], Awaitable[None]]
    restore: Callable[[AsyncConnection, Actor, Mapping[str, Any]], Awaitable[str]] | None = None
