"""Plugin settings that each tenant edits, kept as JSON and read through the plugin's model.

What the model calls a secret is kept beside the rest, sealed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.storage import after_commit

if TYPE_CHECKING:
    from chatnation.core.storage.storage import Storage
    from chatnation.core.vault import Vault

Model = TypeVar("Model", bound=BaseModel)

FRESH_SECONDS = 1.0
"""A change is seen by every process within this time."""


class TenantSettings:
    """Reads and writes `plugin_tenant_settings`; values that no longer fit the model count as not set."""

    def __init__(
        self, storage: Storage, *, vault: Callable[[], Vault] | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._storage = storage
        self._vault = vault
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
            await self.store(connection, tenant_id, plugin, values)

    async def store(self, connection: AsyncConnection, tenant_id: int, plugin: str, values: BaseModel) -> None:
        """As `put`, in the transaction of `connection`."""
        plain = values.model_dump(mode="json", by_alias=True)
        secrets = secrets_of(values)
        sealed = None
        if secrets:
            assert self._vault is not None, "settings with secrets need a vault"
            sealed = self._vault().seal(msgspec.json.encode(secrets), sealed_for(tenant_id, plugin))
        await connection.execute(
            _STORE,
            {
                "tenant": tenant_id,
                "plugin": plugin,
                "values": msgspec.json.encode({key: plain[key] for key in plain if key not in secrets}).decode(),
                "sealed": sealed,
            },
        )

        async def forget() -> None:
            self._cache.pop((tenant_id, plugin), None)

        after_commit(connection, forget)

    async def _values(self, tenant_id: int, plugin: str) -> dict[str, Any]:
        key = (tenant_id, plugin)
        cached = self._cache.get(key)
        now = self._now()
        if cached and now - cached[0] < FRESH_SECONDS:
            return cached[1]
        async with self._storage.tenant(tenant_id) as connection:
            row = (await connection.execute(_READ, {"tenant": tenant_id, "plugin": plugin})).one_or_none()
        values: dict[str, Any] = dict(row.values_) if row else {}
        if row and row.sealed_values and self._vault is not None:
            values |= msgspec.json.decode(self._vault().open(row.sealed_values, sealed_for(tenant_id, plugin)))
        self._cache[key] = (now, values)
        return values


def sealed_for(tenant_id: int, plugin: str) -> str:
    """The context that the secrets among a tenant's settings of a plugin are sealed for."""
    return f"plugin_tenant_settings:{tenant_id}:{plugin}"


def secrets_of(values: BaseModel) -> dict[str, str]:
    """The secrets among settings, by name."""
    fields = type(values).model_fields
    found = {field.alias or name: getattr(values, name) for name, field in fields.items()}
    return {name: value.get_secret_value() for name, value in found.items() if isinstance(value, SecretStr)}


_READ = text(
    "SELECT values AS values_, sealed_values FROM plugin_tenant_settings WHERE tenant_id = :tenant AND plugin = :plugin"
)
_STORE = text(
    "INSERT INTO plugin_tenant_settings (tenant_id, plugin, values, sealed_values)"
    " VALUES (:tenant, :plugin, CAST(:values AS jsonb), :sealed) ON CONFLICT (tenant_id, plugin)"
    " DO UPDATE SET values = excluded.values, sealed_values = excluded.sealed_values"
)
