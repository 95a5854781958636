"""Who is asking, for the length of one request, job or command."""

from __future__ import annotations

from dataclasses import dataclass, field


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

    `permissions` is the effective set within `tenant`. `user_id` is None for a key.
    """

    tenant: Tenant
    permissions: frozenset[str]
    user_id: int | None = None
    name: str = ""
    email: str = ""
    role: str = ""
    key_id: int | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def can(self, permission: str) -> bool:
        """Whether the actor holds `permission`."""
        return permission in self.permissions
