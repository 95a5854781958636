"""Imports plugins and makes their instances, each inside the boundary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from chatnation.core.errors import PluginError
from chatnation.core.plugin.base import Plugin
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.inventory import Inventory, PluginRecord
from chatnation.core.plugin.manifest import problems

PluginSettings = Mapping[str, Mapping[str, object]]
"""Instance settings by plugin, for those who compose in code; they win over the environment."""


def load_classes(inventory: Inventory, boundary: Boundary) -> None:
    """Import each active plugin and check its manifest; whatever breaks is failed."""
    for record in inventory.active():
        loaded = boundary.call(record.name, "import", record.candidate.load)
        if not loaded.ok:
            inventory.fail(record.name, "import", loaded.error)
            continue
        checked = boundary.call(record.name, "manifest", lambda: _checked(record.name, loaded.value))  # noqa: B023
        if checked.ok:
            record.plugin_class = checked.value
        else:
            inventory.fail(record.name, "the manifest check", checked.error)


def instantiate(inventory: Inventory, boundary: Boundary, overrides: PluginSettings) -> None:
    """Make an instance of each active plugin with its validated settings."""
    for record in inventory.active():
        if not inventory.runs(record.name):
            continue  # Blocked a moment ago by the failure of another.
        made = boundary.call(record.name, "settings", lambda: _instance(record, overrides))  # noqa: B023
        if made.ok:
            record.plugin = made.value
        else:
            inventory.fail(record.name, "making it from its settings", made.error)


def environment_prefix(name: str) -> str:
    """What the environment variables of the plugin `name` begin with."""
    return f"CHATNATION_{name.upper()}_"


def read_settings(plugin: type[Plugin], overrides: Mapping[str, object]) -> BaseModel:
    """The plugin's instance settings from the environment. Raises `PluginError`, which never quotes a value."""
    config = SettingsConfigDict(env_prefix=environment_prefix(plugin.name))
    bases = (plugin.Settings, BaseSettings)
    model = type(plugin.Settings.__name__, bases, {"model_config": config, "__module__": __name__})
    try:
        return cast("BaseModel", model(**overrides))
    except ValidationError as error:
        raise PluginError(plugin.name, _explain(plugin.name, error)) from None
    except SettingsError as error:
        raise PluginError(plugin.name, str(error)) from None


def _checked(name: str, candidate: object) -> type[Plugin]:
    found = problems(candidate, name)
    if found:
        raise PluginError(name, "; ".join(found))
    return cast("type[Plugin]", candidate)


def _instance(record: PluginRecord, overrides: PluginSettings) -> Plugin:
    plugin_class = record.plugin_class
    assert plugin_class is not None, "only plugins with a class are active at this step"
    return plugin_class(read_settings(plugin_class, overrides.get(record.name, {})))


def _explain(name: str, error: ValidationError) -> str:
    return "; ".join(
        f"{environment_prefix(name)}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False, include_context=False)
    )
