"""What happened to people and tenants, for plugins that listen."""

from __future__ import annotations

from dataclasses import dataclass

from chatnation.core.signals import DomainEvent


@dataclass(frozen=True, slots=True)
class MemberJoined(DomainEvent):
    """A user became an active member of the tenant: signed up, or accepted an invitation."""

    user_id: int


@dataclass(frozen=True, slots=True)
class MemberRoleChanged(DomainEvent):
    """A member got another role."""

    user_id: int


@dataclass(frozen=True, slots=True)
class MemberDeactivated(DomainEvent):
    """A member lost access; their logins at the tenant are closed."""

    user_id: int


@dataclass(frozen=True, slots=True)
class MemberReactivated(DomainEvent):
    """A member got access again."""

    user_id: int


@dataclass(frozen=True, slots=True)
class TenantCreated(DomainEvent):
    """Somebody signed up, and the tenant is theirs."""


@dataclass(frozen=True, slots=True)
class TenantDeleted(DomainEvent):
    """The tenant was erased with everything it had."""


@dataclass(frozen=True, slots=True)
class SignedIn(DomainEvent):
    """A user opened a login at the tenant."""

    user_id: int


@dataclass(frozen=True, slots=True)
class SignedOut(DomainEvent):
    """A user closed their login at the tenant themselves; they may have others."""

    user_id: int
