"""`chatnation person`: what is known of somebody, and how they are forgotten."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.tenancy import Unknown, find_tenant
from chatnation.core.cli._context import Instance, as_json, on_instance, operator, tenant_option
from chatnation.core.cli._output import print_json, print_table
from chatnation.core.context import Tenant
from chatnation.core.errors import ChatnationError
from chatnation.core.identity import actions, queries
from chatnation.core.identity.queries import PersonView
from chatnation.core.storage.erasure import Eraser, Receipt
from chatnation.core.storage.export import export_person

who = click.argument("who", metavar="ID")


@click.group()
def person() -> None:
    """Show, export, erase and split persons. An ID is a user id, phone number, visitor id or person id."""


@person.command()
@who
@tenant_option
@as_json
def show(who: str, tenant: str | None, as_json: bool) -> None:
    """Every id that leads to a person, and what is known of them."""

    async def work(instance: Instance) -> PersonView:
        async with instance.storage.system("look at a person") as connection:
            return await _find(connection, await find_tenant(connection, tenant), who)

    view = on_instance(work)
    if as_json:
        print_json(view)
        return
    rows = [
        [each.kind, each.value, f"{each.first_seen:%Y-%m-%d %H:%M}", f"{each.last_seen:%Y-%m-%d %H:%M}"]
        for each in view.identities
    ]
    click.echo(f"person {view.person_id}\n")
    print_table(rows, ("kind", "id", "first seen", "last seen"))
    for key, value in view.traits.items():
        click.echo(f"{key}: {msgspec.json.encode(value).decode()}")


@person.command()
@who
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; the terminal if not given."
)
@tenant_option
def export(who: str, output: Path | None, tenant: str | None) -> None:
    """Hand out everything that is kept about a person, in the core and in every plugin, as JSON."""

    async def work(instance: Instance) -> object:
        async with instance.storage.system("find a person") as connection:
            owner = await find_tenant(connection, tenant)
            found = await _find(connection, owner, who)
        assembly = instance.assembly
        everything = await export_person(instance.storage, assembly.hooks, assembly.inventory, owner, found.person_id)
        async with instance.storage.tenant(owner.id) as connection:
            await instance.record(connection, owner, "person.exported", "person", found.person_id)
        return everything

    exported = on_instance(work)
    if output is None:
        print_json(exported)
        return
    output.touch(mode=0o600)
    output.write_bytes(msgspec.json.format(msgspec.json.encode(exported), indent=2))
    click.echo(f"Wrote {output}.", err=True)


@person.command()
@who
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
@as_json
def erase(who: str, yes: bool, tenant: str | None, as_json: bool) -> None:
    """Erase a person for good, and never store events with their ids again."""

    async def work(instance: Instance) -> Receipt:
        async with instance.storage.system("find a person") as connection:
            owner = await find_tenant(connection, tenant)
            found = await _find(connection, owner, who)
        if not yes:
            for each in found.identities:
                click.echo(f"  {each.kind} {each.value}", err=True)
            click.confirm("Erase everything of the person with these ids, for good?", abort=True, err=True)
        eraser = Eraser(instance.storage, instance.assembly.hooks, instance.assembly.inventory)

        async def note(connection: AsyncConnection, receipt: Receipt) -> None:
            said = {"counts": receipt.counts}
            await instance.record(connection, owner, "person.erased", "erasure", receipt.id, **said)

        return await eraser.erase_person(owner, found.person_id, by=operator(), then=note)

    receipt = on_instance(work)
    if as_json:
        print_json(receipt)
        return
    click.echo(f"Erased, receipt {receipt.id}:")
    print_table([[kind, str(count)] for kind, count in receipt.counts.items()], ("what", "rows"))


@person.command()
@click.argument("one", metavar="ID")
@click.argument("other", metavar="OTHER")
@tenant_option
def split(one: str, other: str, tenant: str | None) -> None:
    """Take a person apart who is really two: one with ID, one with OTHER. It stays so, and can be taken back."""

    async def work(instance: Instance) -> int:
        async with instance.storage.system("split a person") as connection:
            owner = await find_tenant(connection, tenant)
            found = await _find(connection, owner, one)
            pairs = await actions.split(connection, owner.id, _leaf(found, one), _leaf(found, other), by=operator())
            await instance.record(connection, owner, "person.split", "person", found.person_id, links=len(pairs))
            return len(pairs)

    click.echo(f"Split, by removing {on_instance(work)} links.")


async def _find(connection: AsyncConnection, tenant: Tenant, text: str) -> PersonView:
    found = await queries.find(connection, tenant.id, text)
    if len(found) > 1:
        raise ChatnationError(f"{text} is an id of several persons; say which: {', '.join(map(str, found))}.")
    view = await queries.view(connection, tenant.id, found[0]) if found else None
    if view is None:
        raise Unknown(f"Nobody in {tenant.slug} was ever seen under {text}.")
    return view


def _leaf(view: PersonView, text: str) -> UUID:
    for each in view.identities:
        if text.strip().removeprefix("+") in {each.value, str(each.leaf_id)}:
            return each.leaf_id
    known = ", ".join(each.value for each in view.identities)
    raise Unknown(f"{text} is no id of this person; these are: {known}.")
