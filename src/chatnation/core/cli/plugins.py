"""`chatnation plugins`: what is installed, how it is, and the start of a new one."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core import scaffold
from chatnation.core.auth.tenancy import find_tenant
from chatnation.core.cli._context import Instance, as_json, on_instance, tenant_option
from chatnation.core.compose import Assembly, assemble
from chatnation.core.errors import ChatnationError
from chatnation.core.plugin import reporting
from chatnation.core.plugin.inventory import PluginRecord, State
from chatnation.core.plugin.review import review
from chatnation.core.settings import Settings

COLOURS = {
    State.ACTIVE: "green",
    State.DEGRADED: "yellow",
    State.FAILED: "red",
    State.BLOCKED: "red",
    State.DISABLED: "bright_black",
}


@click.group()
def plugins() -> None:
    """List, inspect, check and create plugins."""


@plugins.command("list")
@as_json
def list_plugins(as_json: bool) -> None:
    """Every plugin with its state and, where it is not active, the reason.

    Looks at what is installed and set here, and needs no server. What only a running instance can know, such as a
    schema that is behind, is shown at /-/plugins.
    """
    records = list(_assembly().inventory)
    if as_json:
        _print_json([{**reporting.summary(record), "detail": record.detail} for record in records])
        return
    width = max((len(record.name) for record in records), default=0)
    for record in records:
        title = record.plugin_class.title() if record.plugin_class else record.candidate.origin
        state = click.style(f"{record.state:<8}", fg=COLOURS[record.state])
        click.echo(f"{record.name:<{width}}  {state}  {title}")
        for line in _reasons(record):
            click.echo(f"{'':<{width}}  {line}")


@plugins.command()
@click.argument("name")
@as_json
def show(name: str, as_json: bool) -> None:
    """Manifest of one plugin and all that it registers."""
    assembly = _assembly()
    report = reporting.details(_record(assembly, name), assembly.resources)
    if as_json:
        _print_json(report)
        return
    for field, value in report.items():
        if field != "registered" and value:
            click.echo(f"{field.replace('_', ' '):<16}{', '.join(value) if isinstance(value, list) else value}")
    for kind, names in report["registered"].items():
        click.echo(f"{kind.replace('_', ' '):<16}{names[0]}")
        for other in names[1:]:
            click.echo(f"{'':<16}{other}")


@plugins.command()
@click.argument("names", nargs=-1)
@as_json
def check(names: tuple[str, ...], as_json: bool) -> None:
    """Fail if a plugin does not load, or breaks a rule for authors; of all plugins, or of NAMES."""
    assembly = _assembly()
    records = [_record(assembly, name) for name in names] or list(assembly.inventory)
    faults = {record.name: _faults(record) for record in records}
    if as_json:
        _print_json(faults)
    else:
        for name, found in faults.items():
            click.echo(f"{name}: {'ok' if not found else ''}".rstrip())
            for fault in found:
                click.echo(f"  {fault}")
    if any(faults.values()):
        raise SystemExit(1)


@plugins.command()
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where the package's folder is made; here by default.",
)
@click.option("--tables", is_flag=True, help="With a table of its own, a migration and a projection that fills it.")
@as_json
def new(name: str, directory: Path, tables: bool, as_json: bool) -> None:
    """Write a package for a plugin called NAME, with tests that pass."""
    try:
        package = scaffold.write(name, directory, tables=tables)
    except ChatnationError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        _print_json({"package": str(package), "files": [str(path) for path in scaffold.files(package)]})
        return
    click.echo(f"Made {package}. Next:\n")
    click.echo(f"  cd {package}\n  pip install -e . 'chatnation[test]'\n  pytest\n  chatnation plugins show {name}")


@plugins.command()
@click.argument("name")
@tenant_option
def enable(name: str, tenant: str | None) -> None:
    """Give a tenant the plugin NAME back. Every process follows within a second."""
    _switch(name, tenant, enabled=True)


@plugins.command()
@click.argument("name")
@tenant_option
def disable(name: str, tenant: str | None) -> None:
    """Switch the plugin NAME off for a tenant; what it keeps stays. CHATNATION_PLUGINS_DISABLED does it for all."""
    _switch(name, tenant, enabled=False)


def _switch(name: str, tenant: str | None, *, enabled: bool) -> None:
    from chatnation.core.switches import Switches

    async def work(instance: Instance) -> str:
        async with instance.storage.system("find a tenant") as connection:
            found = await find_tenant(connection, tenant)

        async def note(connection: AsyncConnection) -> None:
            action = "config.plugin.enabled" if enabled else "config.plugin.disabled"
            await instance.record(connection, found, action, "plugin", name)

        switches = Switches(instance.assembly.inventory, instance.storage)
        await switches.switch(found.id, name, enabled=enabled, then=note)
        return found.slug

    click.echo(f"{name} is {'on' if enabled else 'off'} for {on_instance(work)}.")


def _assembly() -> Assembly:
    try:
        with _quiet():
            return assemble(Settings(strict=False))
    except ChatnationError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep plugin failures out of the log, because they are about to be printed."""
    logger = logging.getLogger("chatnation.core.plugin")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)


def _record(assembly: Assembly, name: str) -> PluginRecord:
    if name not in assembly.inventory:
        raise click.ClickException(f"There is no plugin {name}; `chatnation plugins list` names all.")
    return assembly.inventory[name]


def _reasons(record: PluginRecord) -> list[str]:
    """The reason, and the error's text where that says more."""
    if not record.reason:
        return []
    return [record.reason] if record.detail in {"", record.reason} else [record.reason, record.detail]


def _faults(record: PluginRecord) -> list[str]:
    if record.state is State.DISABLED:
        return []
    if record.state is not State.ACTIVE or record.plugin_class is None:
        return [f"{record.state}: {line}" for line in _reasons(record)]
    return review(record.plugin_class)


def _print_json(value: Any) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
