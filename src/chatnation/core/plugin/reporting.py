"""What is shown of plugins, on the command line and at `/-/plugins`. JSON-ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chatnation.core.plugin.conflicts import page_path, route_path
from chatnation.core.plugin.inventory import Inventory, PluginRecord
from chatnation.core.plugin.resources import Resources


def summary(record: PluginRecord) -> dict[str, Any]:
    """One plugin in a few fields that hold no secret."""
    plugin = record.plugin_class
    return {
        "name": record.name,
        "state": str(record.state),
        "reason": record.reason,
        "title": plugin.title() if plugin else "",
        "version": (plugin.version if plugin else "") or record.candidate.version,
        "origin": record.candidate.origin,
        "requires": list(record.requires),
    }


def summaries(inventory: Inventory) -> list[dict[str, Any]]:
    """Every plugin, in load order."""
    return [summary(record) for record in inventory]


def details(record: PluginRecord, resources: Resources) -> dict[str, Any]:
    """One plugin with all that it registered, each item by its name. For the operator: `detail` may quote an error."""
    plugin = record.plugin_class
    prefix = plugin.prefix() if plugin else ""
    return {
        **summary(record),
        "detail": record.detail,
        "description": plugin.description() if plugin else "",
        "after": list(plugin.after) if plugin else [],
        "url_prefix": prefix,
        "settings": sorted(plugin.Settings.model_fields) if plugin else [],
        "tenant_settings": sorted(plugin.TenantSettings.model_fields) if plugin and plugin.TenantSettings else [],
        "registered": _names(resources.of(record.name), prefix),
    }


def _names(items: Mapping[str, Iterable[Any]], prefix: str) -> dict[str, list[str]]:
    special: dict[str, Callable[[Any], str]] = {
        "services": lambda service: service.interface.__name__,
        "queues": lambda driver: driver.scheme,
        "listeners": lambda listener: listener.event.__name__,
        "schedules": lambda schedule: f"{schedule.cron} {schedule.job}",
        "retention": lambda rule: f"{rule.table}: {rule.days or 'as many'} days",
        "routes": lambda route: f"{route.method} {route_path(route, prefix)} [{route.permission}]",
        "pages": lambda page: f"{page_path(page, prefix)} [{page.permission}]",
        "ingest_routes": lambda route: f"{' '.join(route.methods)} {route.path}",
        "navigation": lambda entry: f"{entry.label} → {entry.path}",
        "middleware": lambda middleware: getattr(middleware.factory, "__name__", repr(middleware.factory)),
    }
    return {
        kind: [special[kind](item) if kind in special else item.name for item in found] for kind, found in items.items()
    }
