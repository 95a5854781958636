"""Schemas and plugins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from chatnation.core.compose import Assembly
from chatnation.core.diagnosis.finding import Finding, failure, ok, warning
from chatnation.core.errors import ChatnationError
from chatnation.core.plugin.boundary import CORE
from chatnation.core.plugin.inventory import State
from chatnation.core.storage.migrations import compare, histories
from chatnation.core.storage.storage import Storage

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


def plugins(assembly: Assembly) -> Iterator[Finding]:
    """Plugins that are not active, one finding each, or one for all."""
    unwell = [record for record in assembly.inventory if record.state not in (State.ACTIVE, State.DISABLED)]
    for record in unwell:
        detail = f"{record.name} is {record.state}: {record.detail or record.reason}"
        yield warning("plugins", detail, f"chatnation plugins show {record.name}", plugin=record.name)
    if not unwell:
        names = sorted(record.name for record in assembly.inventory.active())
        yield ok("plugins", f"{len(names)} active: {', '.join(names)}", active=names)
