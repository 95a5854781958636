"""`chatnation tenant`: the organisations that own data."""

from __future__ import annotations

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.tenancy import DEFAULT_TIMEZONE, change_tenant, create_tenant, find_tenant, list_tenants
from chatnation.core.cli._context import Instance, as_json, on_instance, operator
from chatnation.core.cli._output import print_json, print_rows, print_table
from chatnation.core.context import Tenant
from chatnation.core.storage.erasure import Eraser, Receipt


@click.group()
def tenant() -> None:
    """Create, list, change and erase tenants."""


@tenant.command()
@click.argument("name")
@click.option("--slug", metavar="HANDLE", help="Handle in addresses; made from the name unless given.")
@click.option("--timezone", default=DEFAULT_TIMEZONE, show_default=True, help="Days and hours on its pages follow it.")
@as_json
def create(name: str, slug: str | None, timezone: str, as_json: bool) -> None:
    """Make a tenant called NAME. It needs a project, a key and a user next."""

    async def work(instance: Instance) -> Tenant:
        async with instance.storage.system("make a tenant") as connection:
            made = await create_tenant(connection, name, slug=slug, timezone=timezone)
            await instance.record(connection, made, "config.tenant.created", "tenant", made.slug, name=made.name)
            return made

    made = on_instance(work)
    if as_json:
        print_json(made)
        return
    click.echo(f"Made the tenant {made.slug}. Next:\n")
    click.echo(f"  chatnation project create --tenant {made.slug} Website")
    click.echo(f"  chatnation user create --tenant {made.slug} somebody@example.org --name Somebody")


@tenant.command("list")
@as_json
def list_all(as_json: bool) -> None:
    """Every tenant."""

    async def work(instance: Instance) -> list[Tenant]:
        async with instance.storage.system("list tenants") as connection:
            return await list_tenants(connection)

    print_rows(on_instance(work), ("slug", "name", "timezone"), as_json=as_json, empty="There is no tenant yet.")


@tenant.command("set")
@click.argument("slug", metavar="HANDLE")
@click.option("--name", help="New name.")
@click.option("--timezone", help="New time zone, for example Africa/Nairobi.")
def change(slug: str, name: str | None, timezone: str | None) -> None:
    """Change the tenant HANDLE."""

    async def work(instance: Instance) -> None:
        async with instance.storage.system("change a tenant") as connection:
            found = await find_tenant(connection, slug)
            await change_tenant(connection, found.id, name=name, timezone=timezone)
            changed = {key: value for key, value in (("name", name), ("timezone", timezone)) if value}
            await instance.record(connection, found, "config.tenant.updated", "tenant", found.slug, **changed)

    on_instance(work)


@tenant.command()
@click.argument("slug", metavar="HANDLE")
@click.option("--confirm", metavar="HANDLE", help="The handle again, instead of being asked for it.")
@as_json
def erase(slug: str, confirm: str | None, as_json: bool) -> None:
    """Erase the tenant HANDLE for good: events, persons, users, keys, and all that plugins keep.

    Nothing brings it back. A receipt with the counts stays.
    """

    async def work(instance: Instance) -> Receipt:
        eraser = Eraser(instance.storage, instance.assembly.hooks, instance.assembly.inventory)
        async with instance.storage.system("find a tenant") as connection:
            found = await find_tenant(connection, slug)
        if confirm is None:
            summary = await eraser.summarize_tenant(found.id)
            rows = [[kind, "could not be counted" if count is None else str(count)] for kind, count in summary.items()]
            click.echo(f"{found.name} ({found.slug}) has:", err=True)
            print_table(rows, ("what", "rows"))
        typed = confirm or click.prompt("Type its handle to erase all of it for good", err=True)
        if typed != found.slug:
            raise click.ClickException(f"“{typed}” is not {found.slug}; nothing was erased.")

        async def note(connection: AsyncConnection, receipt: Receipt) -> None:
            said = {"tenant": found.slug, "counts": receipt.counts}
            await instance.record(connection, None, "danger_zone.tenant.deleted", "erasure", receipt.id, **said)

        return await eraser.erase_tenant(found, by=operator(), then=note)

    receipt = on_instance(work)
    if as_json:
        print_json(receipt)
        return
    click.echo(f"Erased {receipt.tenant}, receipt {receipt.id}:")
    print_table([[kind, str(count)] for kind, count in receipt.counts.items()], ("what", "rows"))
