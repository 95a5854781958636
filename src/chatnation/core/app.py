"""Everything that was composed, frozen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chatnation.core import lifecycle
from chatnation.core.clock import Clock
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.hooks import Hooks
from chatnation.core.plugin.services import Services
from chatnation.core.settings import Role, Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from chatnation.core.auth.brands import Brand
    from chatnation.core.jobs.enqueueing import Jobs
    from chatnation.core.metrics import Metrics
    from chatnation.core.plugin.inventory import Inventory
    from chatnation.core.plugin.resources import Resources
    from chatnation.core.queue.base import EventQueue
    from chatnation.core.signals import Signals
    from chatnation.core.storage.storage import Storage
    from chatnation.core.storage.tenant_settings import TenantSettings
    from chatnation.core.storage.versions import Versions
    from chatnation.core.switches import Switches
    from chatnation.core.vault import Vault
    from chatnation.core.web.application import WebApplication


@dataclass(frozen=True)
class App:
    """One composed instance: settings, plugins, storage, and what this process's role needs of the rest.

    `resources` holds what plugins registered, each item with its plugin's name; `inventory` each plugin's state.
    Nothing in here changes after `compose` returned, except states, caches and counters inside the objects.
    """

    settings: Settings
    role: Role
    clock: Clock
    boundary: Boundary
    inventory: Inventory
    hooks: Hooks
    resources: Resources
    services: Services
    metrics: Metrics
    storage: Storage
    redis: Redis
    queue: EventQueue
    versions: Versions
    switches: Switches
    tenant_settings: TenantSettings
    signals: Signals
    jobs: Jobs

    @cached_property
    def vault(self) -> Vault:
        """What seals the secrets of this instance that are stored."""
        from chatnation.core.vault import Vault

        return Vault.of(self.settings)

    @cached_property
    def web(self) -> WebApplication:
        """The ASGI application of this role. Its lifespan is `lifespan`."""
        from chatnation.core.web.application import build_web

        return build_web(self)

    def enabled(self, tenant_id: int) -> frozenset[str]:
        """Names of the plugins that run for a tenant, and `core`. Cheap; equal sets are one object."""
        return self.switches.enabled(tenant_id)

    def brand(self, tenant_id: int) -> Brand:
        """How the product looks to the people of a tenant. Cheap."""
        from chatnation.core.auth.brands import Brands

        return self.services.get(Brands).of_tenant(tenant_id)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[App]:
        """Compare schemas, start the plugins, and at the end stop them and close every connection."""
        async with lifecycle.running(self):
            yield self
