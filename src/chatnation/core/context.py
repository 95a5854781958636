"""Who is asking, for the length of one request, job or command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tenant:
    """An organisation that owns data. `timezone` is an IANA name; days and hours on its pages follow it."""

    id: int
    slug: str
    name: str
    timezone: str = "Africa/Nairobi"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who was let in: a person with a login session, or a key.

    `permissions` is the effective set within `tenant`; `team_permissions` is what they may do besides, by the public id
    of the team that it is limited to. `user_id` is None for a key. `login_id` is the open login that the request came
    with, and `confirmed_at` when its user last showed who they are; `token_id` is a personal token. `limited`: their
    tenant asks for a second factor that they have not set up, so that nothing but that is open.
    """

    tenant: Tenant
    permissions: frozenset[str]
    user_id: int | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    key_id: int | None = None
    extra: dict[str, str] = field(default_factory=dict)
    team_permissions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    login_id: UUID | None = None
    confirmed_at: datetime | None = None
    token_id: int | None = None
    limited: bool = False

    def can(self, permission: str, *, team: str | None = None) -> bool:
        """Whether the actor holds `permission` in the whole tenant, or at least in `team`."""
        return permission in self.permissions or (
            team is not None and permission in self.team_permissions.get(team, ())
        )

    def can_somewhere(self, permission: str) -> bool:
        """Whether the actor holds `permission` in the whole tenant or in any team."""
        return permission in self.permissions or any(permission in held for held in self.team_permissions.values())

    def teams_with(self, permission: str) -> frozenset[str] | None:
        """The teams that the actor holds `permission` in; None stands for the whole tenant."""
        if permission in self.permissions:
            return None
        return frozenset(team for team, held in self.team_permissions.items() if permission in held)


_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def acting() -> Actor | None:
    """Whose request is being answered; None for jobs, commands, and whatever else the product does by itself."""
    return _acting.get()


def act_as(actor: Actor | None) -> None:
    """From now on the request is that of `actor`, as far as `nobody_acting` reaches."""
    _acting.set(actor)


@contextmanager
def nobody_acting() -> Iterator[None]:
    """Inside nobody acts until somebody is said to; afterwards it is as it was before."""
    token = _acting.set(None)
    try:
        yield
    finally:
        _acting.reset(token)
