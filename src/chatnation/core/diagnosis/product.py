"""Schemas and plugins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from chatnation.core.compose import Assembly
from chatnation.core.diagnosis.finding import Finding, failure, ok, warning
from chatnation.core.errors import ChatnationError
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.inventory import State
from chatnation.core.storage import tenant_role
from chatnation.core.storage.migrations import compare, global_tables, histories
from chatnation.core.storage.models import dead_letters, projection_failures
from chatnation.core.storage.row_security import gaps
from chatnation.core.storage.storage import Storage
from chatnation.core.storage.tenant_role import NoTenantRole
from chatnation.core.storage.tenant_tables import tenant_tables

_UPGRADE = "chatnation db upgrade"


async def schemas(storage: Storage, assembly: Assembly) -> AsyncIterator[Finding]:
    """Whether the tables are those of this version."""
    classes = [record.plugin_class for record in assembly.inventory.active() if record.plugin_class]
    try:
        states = await compare(storage, histories(classes))
    except (ChatnationError, OSError) as error:
        yield failure("schemas", str(error), "See the database above.")
        return
    behind = [state for state in states if state.behind]
    for state in behind:
        verdict = failure if state.owner == CORE else warning
        detail = f"{state.owner} is at {state.current or 'nothing'}, this version needs {state.head}"
        yield verdict("schemas", detail, _UPGRADE, owner=state.owner, current=state.current, head=state.head)
    if not behind:
        yield ok("schemas", f"{len(states)} up to date", **{state.owner: state.current for state in states})


async def row_security(storage: Storage, assembly: Assembly) -> AsyncIterator[Finding]:
    """Whether the database keeps every tenant to its rows, in each table of the core and of every plugin."""
    classes = [record.plugin_class for record in assembly.inventory.active() if record.plugin_class]
    try:
        async with storage.system("doctor") as connection:
            role = await tenant_role.look_up(connection)
            role.check()
            tables = await tenant_tables(connection)
            found = await gaps(connection, role, global_tables(histories(classes)))
    except NoTenantRole as error:
        yield failure("row-level security", str(error), "Nobody sees anything until it is there.")
        return
    except (ChatnationError, DBAPIError, OSError):
        return  # The database and the schemas say why.
    for gap in found:
        yield failure("row-level security", f"{gap.relation}: {gap.lacks}", _UPGRADE, relation=gap.relation)
    if not found:
        yield ok(
            "row-level security", f"on for all {len(tables)} tables of tenants", tables=len(tables), role=role.name
        )


async def leftovers(storage: Storage) -> AsyncIterator[Finding]:
    """What could not be processed and waits for somebody."""
    try:
        async with storage.system("doctor") as connection:
            buried = await connection.scalar(select(func.coalesce(func.sum(dead_letters.c.events), 0)))
            failed = await connection.scalar(select(func.count()).select_from(projection_failures))
    except (ChatnationError, DBAPIError):
        return  # The schemas say why.
    if buried:
        yield warning("dead letters", f"{buried:,} events", "chatnation deadletters list", events=int(buried))
    else:
        yield ok("dead letters", "none", events=0)
    if failed:
        yield warning(
            "projections",
            f"{failed:,} batches are not in the tables of a plugin yet; they are tried again",
            "The log of the worker says what fails; see chatnation plugins list.",
            batches=failed,
        )


def plugins(assembly: Assembly) -> Iterator[Finding]:
    """Plugins that are not active, one finding each, or one for all."""
    unwell = [record for record in assembly.inventory if record.state not in (State.ACTIVE, State.DISABLED)]
    for record in unwell:
        detail = f"{record.name} is {record.state}: {record.detail or record.reason}"
        yield warning("plugins", detail, f"chatnation plugins show {record.name}", plugin=record.name)
    if not unwell:
        names = sorted(record.name for record in assembly.inventory.active())
        yield ok("plugins", f"{len(names)} active: {', '.join(names)}", active=names)
