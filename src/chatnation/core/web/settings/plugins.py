"""Plugins of a tenant: switched on and off, and set, with the records of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from chatnation.core.audit import audit_of
from chatnation.core.auth.refusals import Impossible
from chatnation.core.auth.tenancy import Unknown
from chatnation.core.plugin.inventory import PluginRecord, State
from chatnation.core.storage.tenant_settings import secrets_of
from chatnation.core.web.audited import record_of
from chatnation.core.web.forms import Kind, form_of

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.context import Actor


@dataclass(frozen=True, slots=True)
class TenantPlugin:
    """A plugin as a tenant has it.

    `wanted`: the tenant has not switched it off; `on`: it runs for the tenant. `off_with` are plugins that the tenant
    would lose with it, `missing` those that it needs and that the tenant switched off, by their titles.
    """

    name: str
    title: str
    description: str
    state: State
    reason: str
    wanted: bool
    on: bool
    off_with: tuple[str, ...]
    missing: tuple[str, ...]
    model: type[BaseModel] | None

    @property
    def switchable(self) -> bool:
        """Whether the tenant's switch does anything: the instance has the plugin."""
        return self.state in (State.ACTIVE, State.DEGRADED)


class TenantPlugins:
    """The plugins of the tenant of whoever sends a request."""

    def __init__(self, app: App) -> None:
        self._app = app

    def list(self, actor: Actor) -> list[TenantPlugin]:
        """Every plugin of the instance, by title."""
        records = {record.name: record for record in self._app.inventory}
        off = self._app.switches.switched_off(actor.tenant.id)
        on = self._app.enabled(actor.tenant.id)
        found = [self._plugin(record, records, off, on) for record in records.values()]
        return sorted(found, key=lambda plugin: plugin.title.lower())

    def find(self, actor: Actor, name: str) -> TenantPlugin:
        """One of them. Raises Unknown."""
        for plugin in self.list(actor):
            if plugin.name == name:
                return plugin
        raise Unknown("There is no such plugin.")

    async def switch(self, request: Request, name: str, *, on: bool) -> TenantPlugin:
        """Turn a plugin on or off for the tenant; this process follows at once, others within a second."""
        actor: Actor = request.state.actor
        plugin = self.find(actor, name)
        if not plugin.switchable:
            raise Impossible(f"{plugin.title} does not run on this instance: {plugin.reason or plugin.state}.")
        if plugin.wanted != on:
            verb = "enabled" if on else "disabled"

            async def note(connection: AsyncConnection) -> None:
                record = record_of(request, f"config.plugin.{verb}", "plugin", name)
                await audit_of(self._app).record(connection, record)

            await self._app.switches.switch(actor.tenant.id, name, enabled=on, then=note)
        return self.find(actor, name)

    async def settings(self, actor: Actor, plugin: TenantPlugin) -> BaseModel:
        """What the tenant has set, defaults where nothing was. Raises Unknown for a plugin without settings."""
        return await self._app.tenant_settings.get(actor.tenant.id, plugin.name, _model(plugin))

    async def kept_secrets(self, actor: Actor, plugin: TenantPlugin) -> Mapping[str, str]:
        """The secrets among them that are not empty; for a form that leaves them as they are."""
        secrets = secrets_of(await self.settings(actor, plugin))
        return {name: value for name, value in secrets.items() if value}

    async def save(self, request: Request, plugin: TenantPlugin, values: BaseModel) -> None:
        """Replace what the tenant has set."""
        actor: Actor = request.state.actor
        changed = _changes(await self.settings(actor, plugin), values)
        if not changed:
            return
        async with self._app.storage.tenant(actor.tenant.id) as connection:
            await self._app.tenant_settings.store(connection, actor.tenant.id, plugin.name, values)
            record = record_of(request, "config.plugin.updated", "plugin", plugin.name, changed=changed)
            await audit_of(self._app).record(connection, record)

    @staticmethod
    def _plugin(
        record: PluginRecord, records: Mapping[str, PluginRecord], off: frozenset[str], on: frozenset[str]
    ) -> TenantPlugin:
        cls = record.plugin_class
        return TenantPlugin(
            name=record.name,
            title=_title(record),
            description=" ".join(cls.description().split()) if cls else "",
            state=record.state,
            reason=record.reason,
            wanted=record.name not in off,
            on=record.name in on,
            off_with=tuple(_title(records[name]) for name in _above(record.name, records) if name in on),
            missing=tuple(_title(records[name]) for name in record.requires if name in records and name not in on),
            model=cls.TenantSettings if cls else None,
        )


def shown_values(values: BaseModel) -> dict[str, Any]:
    """Settings as JSON; of a secret only whether there is one."""
    kept = {name: bool(secret) for name, secret in secrets_of(values).items()}
    none = {one.name: False for one in form_of(type(values), {}) if one.kind is Kind.SECRET}
    return {**values.model_dump(mode="json", by_alias=True), **none, **kept}


def _title(record: PluginRecord) -> str:
    return record.plugin_class.title() if record.plugin_class else record.name


def _above(name: str, records: Mapping[str, PluginRecord]) -> list[str]:
    """The plugins that require `name`, directly or through others, in load order."""
    lost = {name}
    for record in records.values():
        if lost.intersection(record.requires):
            lost.add(record.name)
    return [other for other in records if other in lost and other != name]


def _model(plugin: TenantPlugin) -> type[BaseModel]:
    if plugin.model is None:
        raise Unknown(f"{plugin.title} has no settings.")
    return plugin.model


def _changes(before: BaseModel, after: BaseModel) -> dict[str, Any]:
    """What changed; of secrets, and of long texts, only that they did."""
    was, now = before.model_dump(mode="json", by_alias=True), after.model_dump(mode="json", by_alias=True)
    old, new = secrets_of(before), secrets_of(after)
    changed = {
        name: {"from": _short(was.get(name)), "to": _short(now[name])} for name in now if was.get(name) != now[name]
    }
    return changed | {name: "changed" for name in new if old.get(name) != new[name]}


def _short(value: Any) -> Any:
    return f"{len(value)} characters" if isinstance(value, str) and len(value) > 100 else value
