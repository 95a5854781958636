"""`chatnation serve`: the whole instance, or one role of it."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from chatnation.core import logs
from chatnation.core.settings import Role, Settings
from chatnation.core.supervisor.supervisor import Started, StartFailed, Supervisor


@click.command()
@click.option(
    "--role",
    type=click.Choice([each.value for each in Role]),
    default="all",
    show_default=True,
    help="What this instance does.",
)
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks a free one.  [default: 8000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes.  [default: 1]")
@click.option(
    "--processors", type=click.IntRange(1, 64), help="Processes that store events and run jobs.  [default: 2]"
)
@click.option("--demo", is_flag=True, help="Fill it with two made-up months, and keep made-up events coming.")
def serve(role: str, demo: bool, **options: Any) -> None:
    """Start Chatnation, with servers of its own unless the settings name others.

    The first start makes an organisation, a project, an administrator and a write key, and prints them once.
    """
    if demo and role != Role.ALL:
        raise click.UsageError("--demo needs every role; leave --role out.")
    settings = Settings(**{name: value for name, value in options.items() if value is not None})
    logs.configure(settings)
    try:
        asyncio.run(_supervise(settings, Role(role), demo=demo))
    except StartFailed as failure:
        raise click.ClickException(f"{failure}; what it printed above says why.") from failure


async def _supervise(settings: Settings, role: Role, *, demo: bool) -> None:
    await Supervisor(settings, role, _tell, demo=demo).run()


def _tell(started: Started) -> None:
    for plugin, reason in started.failed_plugins.items():
        click.secho(f"The schema of the plugin {plugin} could not be upgraded: {reason}", fg="yellow", err=True)
    lines = [("Dashboard", started.url)] if started.url else []
    if started.first_start:
        first = started.first_start
        lines += [("E-mail", first["email"]), ("Password", first["password"]), ("Write key", first["write_key"])]
    click.echo(f"\n{click.style('Chatnation runs.', bold=True)} Ctrl-C stops it.\n")
    for label, value in lines:
        click.echo(f"  {label:<10} {value}")
    if started.first_start:
        click.echo("\n  Password and write key are shown this once, and kept nowhere in clear.")
    click.echo()
