"""`chatnation project`: the sources of events."""

from __future__ import annotations

from collections.abc import Sequence

import click

from chatnation.core.auth.tenancy import (
    IpMode,
    MaskingRule,
    Project,
    change_project,
    create_project,
    find_project,
    find_tenant,
    list_projects,
)
from chatnation.core.cli._context import Instance, Words, as_json, on_instance, tenant_option
from chatnation.core.cli._output import print_json, print_rows

COLUMNS = ("slug", "name", "allowed_origins", "ip_mode", "masking")

allow_origin = click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Website that may send: https://www.example.org, https://*.example.org, or * for all. May be repeated.",
)
ip_mode_option = click.option(
    "--ip-mode",
    type=Words(IpMode),
    help="Visitors' addresses: off keeps them, mask cuts their end, drop_after_geo uses them for the location only.",
)


@click.group()
def project() -> None:
    """Create, list and change projects."""


@project.command()
@click.argument("name")
@click.option("--slug", metavar="HANDLE", help="Handle in addresses; made from the name unless given.")
@allow_origin
@ip_mode_option
@tenant_option
@as_json
def create(
    name: str, slug: str | None, origins: Sequence[str], ip_mode: IpMode | None, tenant: str | None, as_json: bool
) -> None:
    """Make a project called NAME. It needs a key next."""

    async def work(instance: Instance) -> Project:
        async with instance.storage.system("make a project") as connection:
            owner = await find_tenant(connection, tenant)
            made = await create_project(
                connection,
                owner.id,
                name,
                slug=slug,
                allowed_origins=origins or ("*",),
                ip_mode=ip_mode or IpMode.MASK,
            )
            await instance.record(connection, owner, "config.project.created", "project", made.slug, name=made.name)
            return made

    made = on_instance(work)
    if as_json:
        print_json(made)
        return
    click.echo(f"Made the project {made.slug}. Next:\n\n  chatnation key create --project {made.slug} '{made.name}'")


@project.command("list")
@tenant_option
@as_json
def list_all(tenant: str | None, as_json: bool) -> None:
    """Projects of a tenant."""

    async def work(instance: Instance) -> list[Project]:
        async with instance.storage.system("list projects") as connection:
            return await list_projects(connection, (await find_tenant(connection, tenant)).id)

    print_rows(on_instance(work), COLUMNS, as_json=as_json, empty="There is no project yet.")


@project.command("set")
@click.argument("slug", metavar="HANDLE")
@click.option("--name", help="New name.")
@allow_origin
@ip_mode_option
@click.option(
    "--mask",
    "masks",
    multiple=True,
    metavar="PROPERTY=RULE",
    help="What becomes of a property on intake: drop, mask, hash, or none to take a rule away. May be repeated.",
)
@tenant_option
@as_json
def change(
    slug: str,
    name: str | None,
    origins: Sequence[str],
    ip_mode: IpMode | None,
    masks: Sequence[str],
    tenant: str | None,
    as_json: bool,
) -> None:
    """Change the project HANDLE; collectors follow within a second. Origins given replace the list."""
    rules = dict(_rule(mask) for mask in masks)

    async def work(instance: Instance) -> Project:
        async with instance.storage.system("change a project") as connection:
            owner = await find_tenant(connection, tenant)
            found = await find_project(connection, owner.id, slug)
            changes = {"name": name, "allowed_origins": list(origins), "ip_mode": ip_mode, "masking": rules}
            said = {key: value for key, value in changes.items() if value}
            await instance.record(connection, owner, "config.project.updated", "project", found.slug, **said)
            return await change_project(
                connection, found, name=name, allowed_origins=origins or None, ip_mode=ip_mode, masking=rules or None
            )

    changed = on_instance(work)
    print_rows([changed], COLUMNS, as_json=as_json, empty="")


def _rule(text: str) -> tuple[str, MaskingRule | None]:
    name, _, rule = text.rpartition("=")
    if not name or rule not in {*MaskingRule, "none"}:
        raise click.BadParameter(
            f"“{text}”: write the property, = and one of {', '.join(MaskingRule)}, none, for example pin=hash.",
            param_hint="--mask",
        )
    return name, None if rule == "none" else MaskingRule(rule)
