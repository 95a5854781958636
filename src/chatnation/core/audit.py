"""What is written down of who did what, and who writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor
    from chatnation.core.plugin.services import Services


class ActorType(StrEnum):
    """Who acts: a person, a program with a key, or the product itself and its operator."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class ActorRef:
    """Who acted, in a few words that still say it when user or key are gone. `id` is that of the user or key."""

    type: ActorType
    id: int | None = None
    name: str = ""

    @classmethod
    def of(cls, actor: Actor) -> ActorRef:
        """Whoever sent a request."""
        if actor.user_id is not None:
            return cls(ActorType.USER, actor.user_id, actor.email or actor.name)
        return cls(ActorType.API_KEY, actor.key_id, actor.name or actor.role)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One thing that was done. `action` is `<area>.<thing>.<verb past>`, such as `config.team.created`.

    `tenant_id` is the tenant that may read of it; None for what concerns the instance. `actor` is None where nobody was
    recognised, as with a failed login. `details` is JSON without secrets and without the content of messages.
    `resource_id` is the public handle of what was acted on.
    """

    tenant_id: int | None
    action: str
    actor: ActorRef | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    ip_address: str | None = None
    user_agent: str | None = None


class AuditLog(Protocol):
    """Writes records down. The plugin `audit` offers one; core code gets it through `audit_of`."""

    async def record(self, connection: AsyncConnection, record: AuditRecord) -> None:
        """Write `record` in the transaction of `connection`, the one that makes what it tells true."""


class SilentAudit:
    """Stands in while the plugin `audit` does not run."""

    async def record(self, connection: AsyncConnection, record: AuditRecord) -> None:
        return


def audit_of(composed: App | Services) -> AuditLog:
    """Where an app, or whoever holds its services, writes what was done."""
    from chatnation.core.plugin.services import Services

    services = composed if isinstance(composed, Services) else composed.services
    return services.find(AuditLog) or SilentAudit()
