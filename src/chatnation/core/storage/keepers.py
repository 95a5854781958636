"""Which plugins keep something of a tenant, and whether each of them can be asked about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import ChatnationError
from chatnation.core.storage.migrations import plugin_history
from chatnation.core.storage.tenant_tables import count_rows, plugin_schemas, tenant_tables

if TYPE_CHECKING:
    from chatnation.core.plugin.hooks import Hooks
    from chatnation.core.plugin.inventory import Inventory


class CannotBeAsked(ChatnationError):
    """A plugin keeps rows of the tenant and does not run, so that nobody knows which of them are whose."""


async def with_tables(hooks: Hooks, inventory: Inventory, connection: AsyncConnection) -> Hooks:
    """The hooks, asked of every plugin but those whose tables were never made, because they keep nothing."""
    schemas = set(await plugin_schemas(connection))
    names = {
        record.name
        for record in inventory
        if record.plugin_class and (record.name in schemas or plugin_history(record.plugin_class) is None)
    }
    return hooks.only(names)


async def check_everybody_can_be_asked(
    hook: Callable[..., object], inventory: Inventory, connection: AsyncConnection, tenant_id: int
) -> None:
    """Raise CannotBeAsked if a plugin has rows of the tenant but would not be asked `hook`."""
    silent = {plugin for plugin in await plugin_schemas(connection) if not inventory.asked(plugin, hook.__name__)}
    tables = [table for table in await tenant_tables(connection) if table.plugin in silent]
    left = {label.partition(".")[0] for label in await count_rows(connection, tables, tenant_id)}
    if left:
        raise CannotBeAsked(
            f"These plugins keep rows of the tenant but do not run, so they cannot say which are the person's: "
            f"{', '.join(sorted(left))}. Let them run, or remove what they keep with `chatnation db drop`."
        )
