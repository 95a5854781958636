"""Plugin settings that each tenant edits, kept as JSON and read through the plugin's model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import text

if TYPE_CHECKING:
    from chatnation.core.storage.storage import Storage

Model = TypeVar("Model", bound=BaseModel)

FRESH_SECONDS = 1.0
"""A change is seen by every process within this time."""


class TenantSettings:
    """Reads and writes `plugin_tenant_settings`; values that no longer fit the model count as not set."""

    def __init__(self, storage: Storage, *, now: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._now = now
        self._cache: dict[tuple[int, str], tuple[float, dict[str, Any]]] = {}

    async def get(self, tenant_id: int, plugin: str, model: type[Model]) -> Model:
        """The tenant's settings of `plugin` as a `model`, defaults where nothing was set."""
        values = await self._values(tenant_id, plugin)
        try:
            return model.model_validate(values)
        except ValidationError:
            return model()

    async def put(self, tenant_id: int, plugin: str, values: BaseModel) -> None:
        """Replace the tenant's settings of `plugin`."""
        async with self._storage.tenant(tenant_id) as connection:
            await connection.execute(
                text(
                    "INSERT INTO plugin_tenant_settings (tenant_id, plugin, values)"
                    " VALUES (:tenant, :plugin, CAST(:values AS jsonb))"
                    " ON CONFLICT (tenant_id, plugin) DO UPDATE SET values = excluded.values"
                ),
                {"tenant": tenant_id, "plugin": plugin, "values": values.model_dump_json()},
            )
        self._cache.pop((tenant_id, plugin), None)

    async def _values(self, tenant_id: int, plugin: str) -> dict[str, Any]:
        key = (tenant_id, plugin)
        cached = self._cache.get(key)
        now = self._now()
        if cached and now - cached[0] < FRESH_SECONDS:
            return cached[1]
        async with self._storage.tenant(tenant_id) as connection:
            found = await connection.scalar(
                text("SELECT values FROM plugin_tenant_settings WHERE tenant_id = :tenant AND plugin = :plugin"),
                {"tenant": tenant_id, "plugin": plugin},
            )
        values: dict[str, Any] = found or {}
        self._cache[key] = (now, values)
        return values
