"""The plugins that ship with the product, found as any plugin is found."""

from __future__ import annotations

from chatnation import Plugin
from chatnation.core.plugin import discovery


def bundled_plugins() -> list[type[Plugin]]:
    """The classes of the bundled plugins, by name."""
    found = []
    for candidate in discovery.find():
        if candidate.origin == "chatnation":
            plugin = candidate.load()
            assert isinstance(plugin, type)
            assert issubclass(plugin, Plugin)
            found.append(plugin)
    return sorted(found, key=lambda plugin: plugin.name)
