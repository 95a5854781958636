"""The child that runs before the others: upgrades the schemas, and on the first start makes what there must be.

It prints one JSON object on its standard output: `first_start` (null, or what `bootstrap` made) and `failed_plugins`.
"""

from __future__ import annotations

import asyncio
import logging
import sys

import click
import msgspec

from chatnation.core import logs
from chatnation.core.auth.bootstrap import FirstStart, bootstrap
from chatnation.core.compose import assemble
from chatnation.core.errors import ChatnationError, ConfigurationError
from chatnation.core.plugin.boundary import CORE
from chatnation.core.settings import Settings
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.migrations import compare, histories, upgrade
from chatnation.core.storage.storage import Storage
from chatnation.core.storage.tenant_role import look_up
from chatnation.core.supervisor.protocol import EXIT_MISCONFIGURED, EXIT_TRY_AGAIN


class Prepared(msgspec.Struct, frozen=True):
    """What came of it. `failed_plugins`: reasons by plugin, of those whose schema could not be upgraded."""

    first_start: FirstStart | None
    failed_plugins: dict[str, str]


async def prepare(settings: Settings, *, upgrading: bool) -> Prepared:
    """Upgrade the schemas if `upgrading`, and make the first tenant if there is none.

    Raises ConfigurationError when the core's schema is behind and may not be upgraded here, NoTenantRole when the
    database lacks the role of tenants.
    """
    assembly = assemble(settings)
    classes = [record.plugin_class for record in assembly.inventory.active() if record.plugin_class]
    storage = Storage(settings.database_url or "", pool_size=1, application="chatnation prepare")
    try:
        wanted = histories(classes)
        failed: dict[str, str] = {}
        if upgrading:
            done = await upgrade(storage, wanted, assembly.boundary)
            failed = {each.owner: str(each.error) for each in done if each.error}
        core = next(state for state in await compare(storage, wanted) if state.owner == CORE)
        if core.behind:
            raise ConfigurationError(
                f"The database is at revision {core.current or 'none'}, this version needs {core.head}: "
                "run `chatnation db upgrade`."
            )
        async with storage.system("whether tenants have their role") as connection:
            (await look_up(connection)).check()
        return Prepared(await bootstrap(storage), failed)
    finally:
        await storage.dispose()


@click.command()
@click.option("--upgrade", "upgrading", is_flag=True)
def main(upgrading: bool) -> None:
    settings = Settings()
    logs.configure(settings)
    logging.getLogger("chatnation.core.plugin").setLevel(logging.CRITICAL)  # The other children tell of plugins.
    try:
        prepared = asyncio.run(prepare(settings, upgrading=upgrading))
    except (DatabaseUnavailable, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_TRY_AGAIN)
    except ChatnationError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_MISCONFIGURED)
    click.echo(msgspec.json.encode(prepared))


if __name__ == "__main__":
    main()
