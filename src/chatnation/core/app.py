"""Everything that was composed, frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chatnation.core.clock import Clock
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.hooks import Hooks
from chatnation.core.plugin.services import Services
from chatnation.core.settings import Role, Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis
    from starlette.types import ASGIApp

    from chatnation.core.plugin.inventory import Inventory
    from chatnation.core.plugin.resources import Resources
    from chatnation.core.storage.storage import Storage


@dataclass(frozen=True, slots=True)
class App:
    """One composed instance: settings, plugins, storage, and what this process's role needs of the rest.

    `resources` holds what plugins registered, each item with its plugin's name; `inventory` each plugin's state.
    Nothing in here changes after `compose` returned, except states and counters inside the objects.
    """

    settings: Settings
    role: Role
    clock: Clock
    boundary: Boundary
    hooks: Hooks
    inventory: Inventory
    resources: Resources
    services: Services
    storage: Storage
    redis: Redis
    web: ASGIApp
    extras: dict[type[Any], Any] = field(default_factory=dict)
