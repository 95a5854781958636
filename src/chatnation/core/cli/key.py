"""`chatnation key`: what programs show to be let in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from chatnation.core.auth.keys import (
    KeyEntry,
    KeyType,
    NewKey,
    create_key,
    find_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from chatnation.core.auth.tenancy import find_project, find_tenant
from chatnation.core.cli._context import Instance, Words, as_json, on_instance, tenant_option
from chatnation.core.cli._output import print_json, print_rows


@click.group()
def key() -> None:
    """Create, list, replace and revoke keys."""


@key.command()
@click.argument("name")
@click.option(
    "--type",
    "kind",
    type=Words(KeyType),
    default=KeyType.WRITE,
    show_default=True,
    help="write: events from browsers; server: events from servers; read: the API; handover: hand-overs of chats.",
)
@click.option("--project", metavar="HANDLE", help="Where its events go; not needed while the tenant has one project.")
@click.option("--allow-origin", "origins", multiple=True, metavar="ORIGIN", help="Instead of the project's origins.")
@click.option("--scope", "scopes", multiple=True, help="Permission that it has, for keys that are not write keys.")
@click.option(
    "--expires-in", type=click.IntRange(1), metavar="DAYS", help="Days that it is valid; for ever if not given."
)
@tenant_option
@as_json
def create(
    name: str,
    kind: KeyType,
    project: str | None,
    origins: Sequence[str],
    scopes: Sequence[str],
    expires_in: int | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Make a key called NAME, and print it: this once, because only its hash is kept."""

    async def work(instance: Instance) -> NewKey:
        async with instance.storage.system("make a key") as connection:
            owner = await find_tenant(connection, tenant)
            wanted = project is not None or kind.sends_events
            source = await find_project(connection, owner.id, project) if wanted else None
            made = await create_key(
                connection,
                owner.id,
                name,
                kind,
                project_id=source.id if source else None,
                allowed_origins=origins or None,
                scopes=scopes,
                expires_at=datetime.now(UTC) + timedelta(days=expires_in) if expires_in else None,
            )
            said = {"prefix": made.prefix, "name": name, "type": str(kind), "project": source.slug if source else None}
            await instance.record(connection, owner, "config.key.created", "key", made.id, **said)
            return made

    made = on_instance(work)
    if as_json:
        print_json(made)
    else:
        click.echo(made.secret)


@key.command("list")
@tenant_option
@as_json
def list_all(tenant: str | None, as_json: bool) -> None:
    """Keys of a tenant, the revoked ones included."""

    async def work(instance: Instance) -> list[KeyEntry]:
        async with instance.storage.system("list keys") as connection:
            return await list_keys(connection, (await find_tenant(connection, tenant)).id)

    columns = ("id", "prefix", "name", "project", "created_at", "last_used_at", "expires_at", "revoked_at")
    print_rows(on_instance(work), columns, as_json=as_json, empty="There is no key yet.")


@key.command()
@click.argument("key", metavar="KEY")
@click.option(
    "--overlap", type=click.FloatRange(0, 2160), default=24, show_default=True, metavar="HOURS", help="Both keys work."
)
@tenant_option
@as_json
def rotate(key: str, overlap: float, tenant: str | None, as_json: bool) -> None:
    """Replace KEY, given by its id, its prefix or all of it: print one that may do the same, and end the old one."""

    async def work(instance: Instance) -> NewKey:
        async with instance.storage.system("replace a key") as connection:
            owner = await find_tenant(connection, tenant)
            old, made = await rotate_key(connection, owner.id, key, datetime.now(UTC), timedelta(hours=overlap))
            said = {"prefix": old.prefix, "name": old.name, "new": made.prefix, "overlap_hours": overlap}
            await instance.record(connection, owner, "config.key.rotated", "key", old.id, **said)
            return made

    made = on_instance(work)
    if as_json:
        print_json(made)
    else:
        click.echo(made.secret)


@key.command()
@click.argument("key", metavar="KEY")
@click.option("--yes", is_flag=True, help="Do not ask.")
@tenant_option
def revoke(key: str, yes: bool, tenant: str | None) -> None:
    """Revoke KEY, given by its id, its prefix or all of it. Every process refuses it within a second."""

    async def work(instance: Instance) -> KeyEntry:
        async with instance.storage.system("find a key") as connection:
            owner = await find_tenant(connection, tenant)
            found = await find_key(connection, owner.id, key)
        if not yes:
            used = f"last used {found.last_used_at:%Y-%m-%d %H:%M}" if found.last_used_at else "never used"
            click.confirm(f"Revoke {found.prefix}… ({found.name}, {used})?", abort=True)
        async with instance.storage.tenant(owner.id) as connection:
            said = {"prefix": found.prefix, "name": found.name}
            await instance.record(connection, owner, "config.key.revoked", "key", found.id, **said)
            return await revoke_key(connection, owner.id, str(found.id))

    revoked = on_instance(work)
    click.echo(f"Revoked {revoked.prefix}… ({revoked.name}).")
