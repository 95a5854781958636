"""From settings to an app, in the order of the design: find, choose, load, sort, instantiate, register, collect, build.

Nothing here connects to anything; `App.lifespan` does. The modules of storage, queue, jobs and web are imported in the
step that needs them, so that `assemble` alone (for `chatnation plugins` and the command line) stays quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pluggy

from chatnation.core import logs
from chatnation.core.app import App
from chatnation.core.builtin import Core
from chatnation.core.clock import Clock, SystemClock
from chatnation.core.errors import ConfigurationError
from chatnation.core.hookspecs import MODULES
from chatnation.core.plugin import conflicts, discovery, loader, ordering, resources, signatures
from chatnation.core.plugin.base import PROJECT, Plugin
from chatnation.core.plugin.boundary import CORE, Boundary
from chatnation.core.plugin.hooks import Hooks
from chatnation.core.plugin.inventory import Inventory
from chatnation.core.plugin.loader import PluginSettings
from chatnation.core.plugin.resources import Resources
from chatnation.core.plugin.services import Services
from chatnation.core.settings import Role, Settings

if TYPE_CHECKING:
    from chatnation.core.queue.base import EventQueue


@dataclass(frozen=True, slots=True)
class Assembly:
    """The plugins of an instance, before anything is built that needs a server."""

    boundary: Boundary
    inventory: Inventory
    hooks: Hooks
    resources: Resources
    services: Services


def compose(
    settings: Settings,
    *,
    role: Role = Role.ALL,
    plugins: Sequence[type[Plugin]] | None = None,
    plugin_settings: PluginSettings | None = None,
    clock: Clock | None = None,
) -> App:
    """Build an app for one process.

    `settings` must name both servers; `chatnation serve` fills them in for embedded ones. `plugins` replaces what is
    installed, and `plugin_settings` (values by field, by plugin) wins over the environment: both for tests and for
    programs that embed the product. Raises ConfigurationError, and with `settings.strict` PluginError.
    """
    logs.configure(settings)
    assembly = assemble(settings, plugins=plugins, plugin_settings=plugin_settings)
    return build(settings, assembly, role=role, clock=clock or SystemClock())


def assemble(
    settings: Settings,
    *,
    plugins: Sequence[type[Plugin]] | None = None,
    plugin_settings: PluginSettings | None = None,
) -> Assembly:
    """Load the plugins and collect what they register; what breaks is in the inventory with its reason."""
    boundary = Boundary()
    candidates = discovery.find(settings.plugin_paths) if plugins is None else discovery.given(plugins)
    inventory = Inventory(candidates, strict=settings.strict)
    inventory.disable(settings.plugins_disabled)
    loader.load_classes(inventory, boundary)
    ordering.arrange(inventory)
    loader.instantiate(inventory, boundary, plugin_settings or {})
    hooks = Hooks(_registered(inventory, boundary), boundary, inventory.asked)
    collected = conflicts.settle(resources.collect(hooks, inventory), inventory)
    services = _services(collected, inventory)
    return Assembly(boundary, inventory, hooks, collected, services)


def build(settings: Settings, assembly: Assembly, *, role: Role, clock: Clock) -> App:
    """Make the storage, the queue and the rest around loaded plugins.

    What the other parts of the core provide: `core.jobs.enqueueing.Jobs(jobs)`, the face that callers enqueue through;
    queue drivers in `Core.register_queues`; `core.web.application.build_web(app)`, reached as `app.web`;
    `core.processing.worker.Worker(app)` for the role `process`. Everything else of theirs hangs below these.
    """
    from redis.asyncio import Redis

    from chatnation.core.jobs.enqueueing import Jobs
    from chatnation.core.metrics import Metrics
    from chatnation.core.signals import Signals
    from chatnation.core.storage.storage import Storage
    from chatnation.core.storage.tenant_settings import TenantSettings
    from chatnation.core.storage.versions import Versions
    from chatnation.core.switches import Switches

    if settings.database_url is None or settings.redis_url is None:
        raise ConfigurationError(
            "CHATNATION_DATABASE_URL and CHATNATION_REDIS_URL are not set; `chatnation serve` starts servers of its own"
        )
    storage = Storage(settings.database_url, pool_size=settings.database_pool_size, application=f"chatnation {role}")
    switches = Switches(assembly.inventory, storage)
    app = App(
        settings=settings,
        role=role,
        clock=clock,
        boundary=assembly.boundary,
        inventory=assembly.inventory,
        hooks=assembly.hooks,
        resources=assembly.resources,
        services=assembly.services,
        metrics=Metrics(assembly.boundary, assembly.inventory, role=role),
        storage=storage,
        redis=Redis.from_url(settings.redis_url),
        queue=_queue(settings, assembly.resources),
        versions=Versions(storage),
        switches=switches,
        tenant_settings=TenantSettings(storage, vault=lambda: app.vault),
        signals=Signals(assembly.resources.listeners, assembly.boundary, switches),
        jobs=Jobs(assembly.resources.jobs),
    )
    _offer_own_services(app)
    return app


def _registered(inventory: Inventory, boundary: Boundary) -> pluggy.PluginManager:
    """A manager that knows every hook, with the hooks of each plugin checked against their specs."""
    manager = pluggy.PluginManager(PROJECT)
    for module in MODULES:
        manager.add_hookspecs(module)
    manager.register(Core(), Core.name)
    for step, check in (("hookspecs", signatures.add_specs), ("signature", signatures.register)):
        for record in inventory.active():
            plugin = record.plugin
            if plugin is None or not inventory.runs(record.name):
                continue
            checked = boundary.call(record.name, step, lambda: check(manager, plugin))  # noqa: B023
            if not checked.ok:
                inventory.fail(record.name, f"the check of its {step}", checked.error)
    manager.check_pending()
    return manager


def _services(collected: Resources, inventory: Inventory) -> Services:
    offers = {entry.item.interface: (entry.plugin, entry.item.implementation) for entry in collected.services}
    services = Services(offers, inventory.runs)
    for record in inventory.active():
        if record.plugin is not None:
            record.plugin.services = services
    return services


def _offer_own_services(app: App) -> None:
    """What the core offers, for the parts of a plugin that are made before there is an app."""
    from chatnation.core.auth.brands import Brands
    from chatnation.core.auth.effective import Standings
    from chatnation.core.auth.permissions import Roles
    from chatnation.core.auth.projects import Projects, StoredProjects
    from chatnation.core.identity.persons import Persons, StoredPersons
    from chatnation.core.ingestion.ledger import IngestLedger, Ledger
    from chatnation.core.jobs.enqueueing import Jobs
    from chatnation.core.outgoing import Outgoing
    from chatnation.core.query.runner import QueryRunner
    from chatnation.core.query.store import Analytics
    from chatnation.core.queue.deadletters import DeadLetters
    from chatnation.core.signals import Signals
    from chatnation.core.storage.erasure import Eraser
    from chatnation.core.storage.export import PersonExporter
    from chatnation.core.storage.storage import Storage
    from chatnation.core.storage.tenant_export import TenantExporter
    from chatnation.core.storage.tenant_settings import TenantSettings
    from chatnation.core.vault import Vault

    app.services.offer(CORE, Standings, Standings(app.storage, Roles(app.resources.permissions), app.services))
    app.services.offer(CORE, Brands, Brands(app.storage))
    app.services.offer(CORE, Projects, StoredProjects(app.storage))
    app.services.offer(CORE, Persons, StoredPersons())
    app.services.offer(CORE, IngestLedger, Ledger(app.storage))
    app.services.offer(CORE, DeadLetters, DeadLetters(app))
    app.services.offer(CORE, Storage, app.storage)
    app.services.offer(CORE, TenantSettings, app.tenant_settings)
    app.services.offer(CORE, Jobs, app.jobs)
    app.services.offer(CORE, Signals, app.signals)
    app.services.offer(CORE, Vault, app.vault)
    app.services.offer(CORE, Eraser, Eraser(app.storage, app.hooks, app.inventory))
    app.services.offer(CORE, PersonExporter, PersonExporter(app.storage, app.hooks, app.inventory))
    app.services.offer(CORE, TenantExporter, TenantExporter.of(app.storage, app.resources))
    runner = QueryRunner.of(app)
    app.services.offer(CORE, QueryRunner, runner)
    app.services.offer(CORE, Analytics, runner)
    app.services.offer(CORE, Outgoing, Outgoing(app.settings.outgoing_allowed))


def _queue(settings: Settings, collected: Resources) -> EventQueue:
    """The queue of the driver whose scheme starts the address; the core registers Redis as plugins register theirs."""
    import socket

    scheme = (settings.queue_url or settings.redis_url or "").partition("://")[0]
    for entry in collected.queues:
        if entry.item.scheme == scheme:
            return entry.item.create(settings, socket.gethostname())
    known = ", ".join(sorted(entry.item.scheme for entry in collected.queues))
    raise ConfigurationError(f"No plugin knows a log whose address starts with {scheme}://; known are {known}.")
