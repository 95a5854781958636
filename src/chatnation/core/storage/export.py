"""Hands out everything that is kept about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from chatnation.core.errors import ChatnationError, NotFound
from chatnation.core.hookspecs import data as hooks
from chatnation.core.identity import queries
from chatnation.core.storage.keepers import check_everybody_can_be_asked, with_tables

if TYPE_CHECKING:
    from chatnation.core.context import Tenant
    from chatnation.core.plugin.hooks import Hooks
    from chatnation.core.plugin.inventory import Inventory
    from chatnation.core.storage.storage import Storage


class ExportIncomplete(ChatnationError):
    """A plugin could not hand out what it keeps, so nothing was handed out."""


class PersonExporter:
    """Hands out what is kept about persons. Plugins get it with `services.get(PersonExporter)`."""

    def __init__(self, storage: Storage, hooks: Hooks, inventory: Inventory) -> None:
        self._storage = storage
        self._hooks = hooks
        self._inventory = inventory

    async def export(self, tenant: Tenant, person_id: UUID) -> dict[str, Any]:
        """Everything about the person that `person_id` belongs to; see `export_person`."""
        return await export_person(self._storage, self._hooks, self._inventory, tenant, person_id)


async def export_person(
    storage: Storage, plugin_hooks: Hooks, inventory: Inventory, tenant: Tenant, person_id: UUID
) -> dict[str, Any]:
    """Everything about the person that `person_id` belongs to, JSON-ready: `person`, `events`, and by plugin its lists.

    Raises NotFound when nobody was ever seen under the id, ExportIncomplete when a plugin fails, CannotBeAsked when one
    that keeps something does not run.
    """
    async with storage.tenant(tenant.id) as connection:
        view = await queries.view(connection, tenant.id, person_id)
        if view is None:
            raise NotFound("There is no such person.")
        leafs = await queries.leaf_ids(connection, tenant.id, person_id)
        rows = await connection.execute(_EVENTS, {"tenant": tenant.id, "leafs": leafs})
        exported: dict[str, Any] = {
            "tenant": tenant.slug,
            "person": {
                "person_id": view.person_id,
                "first_seen": view.first_seen,
                "last_seen": view.last_seen,
                "traits": view.traits,
                "ids": [
                    {
                        "kind": each.kind,
                        "value": each.value,
                        "first_seen": each.first_seen,
                        "last_seen": each.last_seen,
                    }
                    for each in view.identities
                ],
            },
            "events": [
                {name: value for name, value in row.items() if value is not None and name not in _INTERNAL}
                for row in rows.mappings()
            ],
        }
        await check_everybody_can_be_asked(hooks.export_person, inventory, connection, tenant.id)
        asked = await with_tables(plugin_hooks, inventory, connection)
        for outcome in await asked.gather(hooks.export_person, connection, tenant.id, leafs):
            if not outcome.ok:
                raise ExportIncomplete(
                    f"The plugin {outcome.plugin} could not hand out what it keeps: {outcome.error}"
                ) from outcome.error
            if outcome.value:
                exported[outcome.plugin] = outcome.value
    return exported


_INTERNAL = frozenset({"tenant_id", "project_id", "leaf_id", "person_id"})
_EVENTS = text(
    """
    SELECT p.slug AS project, e.*, host(e.ip_address) AS ip_address
      FROM events_expanded e
      LEFT JOIN projects p ON p.id = e.project_id
     WHERE e.tenant_id = :tenant AND e.leaf_id = ANY(CAST(:leafs AS uuid[]))
     ORDER BY e.timestamp, e.message_id
    """
)
