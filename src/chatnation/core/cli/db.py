"""`chatnation db`: the schemas of the core and of every plugin."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from chatnation.core.cli._context import Instance, as_json, on_instance
from chatnation.core.cli._output import print_json, print_rows
from chatnation.core.cli._segments import rebuild, verify_command
from chatnation.core.clock import SystemClock
from chatnation.core.errors import ChatnationError
from chatnation.core.storage import migrations
from chatnation.core.storage.copies import drop_other_sources
from chatnation.core.storage.migrations import History, SchemaState
from chatnation.core.storage.partitions import Partitions


@click.group()
def db() -> None:
    """Bring schemas up to date, compare them, write revisions, remove what a plugin keeps; recount copies of events."""


db.add_command(rebuild)
db.add_command(verify_command)


@db.command()
@as_json
def upgrade(as_json: bool) -> None:
    """Bring the core's schema and those of the active plugins to their newest revision.

    May be run by several machines at once: one works, the others wait. A plugin whose revision fails keeps the schema
    it had, and the exit status is 1.
    """

    async def work(instance: Instance) -> Sequence[migrations.Upgrade]:
        done = await migrations.upgrade(instance.storage, _histories(instance), instance.assembly.boundary)
        await Partitions(instance.storage, SystemClock()).ensure_ahead()
        return done

    done = on_instance(work, upgraded=False)
    rows = [
        {
            "owner": each.owner,
            "before": each.before,
            "after": each.after,
            "error": str(each.error) if each.error else None,
        }
        for each in done
    ]
    print_rows(rows, ("owner", "before", "after", "error"), as_json=as_json, empty="")
    if any(each.error for each in done):
        sys.exit(1)


@db.command()
@as_json
def check(as_json: bool) -> None:
    """Fail if a schema is behind, or if its tables are not what the models say."""

    async def work(instance: Instance) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        for history in _histories(instance):
            (state,) = await migrations.compare(instance.storage, [history])
            drift = [] if state.behind else await migrations.differences(instance.storage, history)
            found.append({**_row(state), "differences": drift})
        return found

    found = on_instance(work, upgraded=False)
    if as_json:
        print_json(found)
    for each in [] if as_json else found:
        if each["behind"]:
            click.echo(f"{each['owner']}: at {each['current'] or 'none'}, {each['head']} is needed")
        elif each["differences"]:
            click.echo(f"{each['owner']}: the tables differ from the models")
            for difference in each["differences"]:  # type: ignore[attr-defined]
                click.echo(f"  {difference}")
        else:
            click.echo(f"{each['owner']}: ok")
    if any(each["behind"] or each["differences"] for each in found):
        sys.exit(1)


@db.command()
@as_json
def current(as_json: bool) -> None:
    """Show at which revision each schema is, those of plugins that are not installed included."""

    async def work(instance: Instance) -> list[dict[str, object]]:
        states = [_row(state) for state in await migrations.compare(instance.storage, _histories(instance))]
        known = {state["owner"] for state in states}
        left = [name for name in await migrations.plugin_schemas(instance.storage) if name not in known]
        return states + [{"owner": name, "current": None, "head": "not active", "behind": False} for name in left]

    states = on_instance(work, upgraded=False)
    print_rows(states, ("owner", "current", "head", "behind"), as_json=as_json, empty="")


@db.command()
@click.argument("owner")
@click.argument("message")
def revision(owner: str, message: str) -> None:
    """Write the next revision of OWNER, a plugin or `core`, from the database to the models. For authors.

    MESSAGE says in a few words what it changes. Read the file before you keep it.
    """

    async def work(instance: Instance) -> str:
        return str(await migrations.revision(instance.storage, _history(instance, owner), message))

    click.echo(on_instance(work, upgraded=False))


@db.command()
@click.argument("plugin")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(plugin: str, yes: bool) -> None:
    """Remove everything that PLUGIN keeps in the database. It may be uninstalled already."""

    async def work(instance: Instance) -> None:
        schemas = await migrations.plugin_schemas(instance.storage)
        if plugin not in schemas:
            raise ChatnationError(
                f"No plugin {plugin} keeps tables in this database; these do: {', '.join(schemas) or 'none'}."
            )
        if instance.assembly.inventory.runs(plugin):
            raise ChatnationError(
                f"The plugin {plugin} is active and would miss its tables. Uninstall it or add it to "
                "CHATNATION_PLUGINS_DISABLED first."
            )
        if not yes:
            click.confirm(f"Delete all tables of {plugin} with their rows, of every tenant?", abort=True)
        await migrations.drop(instance.storage, plugin)
        sources = [entry.item.name for entry in instance.assembly.resources.fact_sources]
        async with instance.storage.system("copies of what is gone") as connection:
            await drop_other_sources(connection, sources)

    on_instance(work, upgraded=False)
    click.echo(f"Everything that {plugin} kept is gone.")


def _histories(instance: Instance) -> list[History]:
    active = instance.assembly.inventory.active()
    return migrations.histories([record.plugin_class for record in active if record.plugin_class])


def _history(instance: Instance, owner: str) -> History:
    histories = {history.owner: history for history in _histories(instance)}
    if owner not in histories:
        raise ChatnationError(f"{owner} has no history; these have: {', '.join(histories)}.")
    return histories[owner]


def _row(state: SchemaState) -> dict[str, object]:
    return {"owner": state.owner, "current": state.current, "head": state.head, "behind": state.behind}
