"""Whether what plugins registered fits together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.inventory import Inventory, State
from chatnation.core.plugin.resources import Resources
from chatnation.core.web.routing import AUTHENTICATED, LIMITED, PUBLIC, Page, Route

_PARAMETER = re.compile(r"\{[^}]*\}")


def settle(resources: Resources, inventory: Inventory) -> Resources:
    """Fail each plugin that claims what an earlier one has, or refers to what does not exist; the rest's resources.

    Plugins are looked at in load order, so that among two the later one gives way.
    """
    prefix = prefixes(inventory)
    accepted = [CORE]
    taken = dict.fromkeys(_claims(resources.only(()), CORE, prefix), CORE)
    for record in inventory.active():
        if not inventory.runs(record.name):
            continue  # An earlier conflict blocked it a moment ago.
        fault = _conflict(resources, record.name, prefix, taken) or _dangling(
            resources.only([*accepted, record.name]), record.name
        )
        if fault:
            inventory.settle(record.name, State.FAILED, fault)
            continue
        accepted.append(record.name)
        taken.update((claim, record.name) for claim in _claims(resources, record.name, prefix))
    return resources.only([record.name for record in inventory.active()])


def prefixes(inventory: Inventory) -> Callable[[str], str]:
    """The function from a plugin's name to its URL prefix; the core's is empty."""
    by_name = {record.name: record.plugin_class.prefix() for record in inventory if record.plugin_class}
    return lambda name: by_name.get(name, "")


def route_path(route: Route, prefix: str) -> str:
    """Where a route answers, for example `/api/csat-analytics/scores/{id}`; with `//` in front, from `/api` on."""
    return _join("/api", route.path[1:]) if route.path.startswith("//") else _join("/api", prefix, route.path)


def page_path(page: Page, prefix: str) -> str:
    """Where a page is shown, for example `/csat-analytics`; one that starts with `//` is taken from the root."""
    return _join("", page.path[1:]) if page.path.startswith("//") else _join("", prefix, page.path)


def _join(*parts: str) -> str:
    joined = "/".join(part.strip("/") for part in parts if part.strip("/"))
    return f"/{joined}"


def _claims(resources: Resources, plugin: str, prefix: Callable[[str], str]) -> Iterator[str]:
    """What only one plugin can have, in words."""
    items = resources.of(plugin)
    for service in items.get("services", ()):
        yield f"service {service.interface.__module__}.{service.interface.__qualname__}"
    for kind in ("permissions", "login_providers", "second_factors", "stages", "projections", "jobs", "metrics"):
        yield from (f"{kind[:-1].replace('_', ' ')} {item.name}" for item in items.get(kind, ()))
    for driver in items.get("queues", ()):
        yield f"queue scheme {driver.scheme}"
    for store in items.get("event_stores", ()):
        yield f"event store {store.name}"
    for source in items.get("fact_sources", ()):
        yield f"source of facts {source.name}"
    for route in items.get("routes", ()):
        yield f"route {route.method} {_shape(route_path(route, prefix(plugin)))}"
    for page in items.get("pages", ()):
        yield from (f"page {method} {_shape(page_path(page, prefix(plugin)))}" for method in page.methods)
    for ingest in items.get("ingest_routes", ()):
        yield from (f"ingest route {method} {_shape(ingest.path)}" for method in ingest.methods)


def _shape(path: str) -> str:
    return _PARAMETER.sub("{}", path)


def _conflict(resources: Resources, plugin: str, prefix: Callable[[str], str], taken: dict[str, str]) -> str | None:
    own: set[str] = set()
    for claim in _claims(resources, plugin, prefix):
        if claim in taken:
            return f"{claim} is taken by {taken[claim]}"
        if claim in own:
            return f"{claim} is registered twice"
        own.add(claim)
    return None


def _dangling(resources: Resources, plugin: str) -> str | None:
    """The first reference of `plugin` to something that neither it nor an earlier plugin registered."""
    items = resources.of(plugin)
    permissions = {PUBLIC, AUTHENTICATED, LIMITED, *(entry.item.name for entry in resources.permissions)}
    for kind in ("routes", "pages", "navigation"):
        for item in items.get(kind, ()):
            if item.permission not in permissions:
                return f"{item.path} names the permission {item.permission!r}, which nobody registered"
    for job in items.get("jobs", ()):
        if not job.name.startswith(f"{plugin}."):
            return f"the job {job.name} must be called {plugin}.{job.name}"
    for metric in items.get("metrics", ()):
        if not metric.name.startswith(f"{plugin}."):
            return f"the metric {metric.name} must be called {plugin}.{metric.name}"
    jobs = {entry.item.name for entry in resources.jobs}
    for schedule in items.get("schedules", ()):
        if schedule.job not in jobs:
            return f"a schedule names the job {schedule.job}, which nobody registered"
    for column in items.get("sealed_columns", ()):
        if not column.table.startswith(f"{plugin}."):
            return f"a sealed column is of the table {column.table}, which is not in the schema {plugin}"
    for rule in items.get("retention", ()):
        if not rule.table.startswith(f"{plugin}."):
            return f"retention names the table {rule.table}, which is not in the schema {plugin}"
    return None
