"""`chatnation tenant`: the organisations that own data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.auth.tenancy import DEFAULT_TIMEZONE, change_tenant, create_tenant, find_tenant, list_tenants
from chatnation.core.cli._context import Instance, as_json, on_instance, operator
from chatnation.core.cli._output import print_json, print_rows, print_table
from chatnation.core.context import Tenant
from chatnation.core.storage.erasure import Eraser, Progress, Receipt
from chatnation.core.storage.tenant_export import TenantExport, TenantExporter


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


@tenant.command("export")
@click.argument("slug", metavar="HANDLE")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="By default HANDLE.zip."
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@as_json
def export(slug: str, output: Path | None, force: bool, as_json: bool) -> None:
    """Write everything of the tenant HANDLE into a zip: each table as CSV and as JSON, without hashes and secrets."""
    target = output or Path(f"{slug}.zip")
    if target.exists() and not force:
        raise click.ClickException(f"{target} is there already; nothing was exported. --force replaces it.")

    async def work(instance: Instance) -> TenantExport:
        async with instance.storage.system("find a tenant") as connection:
            found = await find_tenant(connection, slug)
        return await _export(instance, found, target, quiet=as_json)

    made = on_instance(work)
    if as_json:
        print_json(made)
        return
    click.echo(f"Wrote {target}: {made.rows:,} rows of {len(made.tables)} tables, {made.size:,} bytes.")


@tenant.command()
@click.argument("slug", metavar="HANDLE")
@click.option("--confirm", metavar="HANDLE", help="The handle again, instead of being asked for it.")
@click.option(
    "--export",
    "first",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Export it to FILE first.",
)
@as_json
def erase(slug: str, confirm: str | None, first: Path | None, as_json: bool) -> None:
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

        if first is not None:
            await _export(instance, found, first, quiet=as_json)

        async def note(connection: AsyncConnection, receipt: Receipt) -> None:
            said = {"tenant": found.slug, "counts": receipt.counts}
            await instance.record(connection, None, "danger_zone.tenant.deleted", "erasure", receipt.id, **said)

        with _bar("Erasing", quiet=as_json) as progress:
            return await eraser.erase_tenant(found, by=operator(), then=note, progress=progress)

    receipt = on_instance(work)
    if as_json:
        print_json(receipt)
        return
    click.echo(f"Erased {receipt.tenant}, receipt {receipt.id}:")
    print_table([[kind, str(count)] for kind, count in receipt.counts.items()], ("what", "rows"))


tenant.add_command(erase, "delete")


async def _export(instance: Instance, found: Tenant, target: Path, *, quiet: bool) -> TenantExport:
    """Write under another name first, so that half an export is never taken for one; only its owner may read it."""
    exporter = TenantExporter.of(instance.storage, instance.assembly.resources)
    draft = target.with_name(f"{target.name}.part")
    try:
        draft.touch(mode=0o600)
        with _bar("Exporting", quiet=quiet) as progress:
            made = await exporter.export(found, draft, progress)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    async with instance.storage.system("record an export") as connection:
        await instance.record(connection, found, "danger_zone.tenant.exported", "tenant", found.slug, rows=made.rows)
    return made


@contextmanager
def _bar(label: str, *, quiet: bool) -> Iterator[Progress | None]:
    """A progress bar on a terminal; nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr, item_show_func=lambda what: what) as bar:

        async def progress(done: int, total: int, what: str) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos, what)

        yield progress
        bar.update((bar.length or 1) - bar.pos)
