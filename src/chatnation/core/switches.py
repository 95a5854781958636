"""Which plugins are on for a tenant."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import ChatnationError
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.inventory import Inventory, PluginRecord
from chatnation.core.storage.storage import Storage
from chatnation.core.storage.versions import raise_version

CACHE = "plugin_switches"
"""Our row in `cache_versions`."""


class Switches:
    """Plugins by tenant, held in memory: a tenant has every plugin that runs, but those that it switched off.

    `refresh` reads the table again; the version poll calls it when another process has changed it.
    """

    def __init__(self, inventory: Inventory, storage: Storage) -> None:
        self._inventory = inventory
        self._storage = storage
        self._off: dict[int, frozenset[str]] = {}
        self._enabled: dict[tuple[frozenset[str], frozenset[str]], frozenset[str]] = {}

    def enabled(self, tenant_id: int) -> frozenset[str]:
        """Names of the plugins that run for the tenant, and `core`. Equal sets are one object."""
        running = self._inventory.running()
        off = self._off.get(tenant_id, frozenset())
        found = self._enabled.get((running, off))
        if found is None:
            found = self._enabled[running, off] = _without(off, self._inventory.active())
        return found

    def switched_off(self, tenant_id: int) -> frozenset[str]:
        """Names of the plugins that the tenant switched off itself."""
        return self._off.get(tenant_id, frozenset())

    def wanted(self, tenant_id: int) -> frozenset[str]:
        """Names of the plugins that would run for the tenant if all of them worked, and `core`."""
        return _without(self._off.get(tenant_id, frozenset()), self._inventory.composed())

    async def refresh(self) -> None:
        """Read every switch."""
        async with self._storage.system("plugin switches of all tenants") as connection:
            rows = await connection.execute(text("SELECT tenant_id, plugin FROM plugin_switches WHERE NOT enabled"))
            off: dict[int, set[str]] = {}
            for tenant_id, plugin in rows:
                off.setdefault(tenant_id, set()).add(plugin)
        self._off = {tenant_id: frozenset(names) for tenant_id, names in off.items()}

    async def switch(
        self,
        tenant_id: int,
        plugin: str,
        *,
        enabled: bool,
        then: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> None:
        """Turn `plugin` on or off for a tenant; every process follows within a second.

        `then` is done in the same transaction: a record of who did it, for example.
        """
        if plugin not in self._inventory:
            raise ChatnationError(f"There is no plugin {plugin}; `chatnation plugins list` names all.")
        async with self._storage.system("switch a plugin and tell every process") as connection:
            await connection.execute(
                text(
                    "INSERT INTO plugin_switches (tenant_id, plugin, enabled) VALUES (:tenant, :plugin, :enabled)"
                    " ON CONFLICT (tenant_id, plugin) DO UPDATE SET enabled = excluded.enabled"
                ),
                {"tenant": tenant_id, "plugin": plugin, "enabled": enabled},
            )
            await raise_version(connection, CACHE)
            if then is not None:
                await then(connection)
        await self.refresh()


def _without(off: frozenset[str], records: Iterable[PluginRecord]) -> frozenset[str]:
    """The plugins of `records` but those that are `off`, and what requires one that is off."""
    kept = {CORE}
    for record in records:
        if record.name not in off and kept.issuperset(record.requires):
            kept.add(record.name)
    return frozenset(kept)
