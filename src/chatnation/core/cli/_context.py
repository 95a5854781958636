"""What commands need of the instance that they are about."""

from __future__ import annotations

import asyncio
import getpass
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core import logs
from chatnation.core.audit import ActorRef, ActorType, AuditLog, AuditRecord, SilentAudit, audit_of
from chatnation.core.auth.tenancy import find_tenant
from chatnation.core.context import Tenant
from chatnation.core.errors import ConfigurationError
from chatnation.core.instance import opened
from chatnation.core.plugin.inventory import State
from chatnation.core.settings import Settings
from chatnation.core.storage.migrations import compare, core_history, plugin_history, plugin_schemas
from chatnation.core.storage.storage import Storage

if TYPE_CHECKING:
    from chatnation.core.compose import Assembly

T = TypeVar("T")

logger = logging.getLogger(__name__)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
tenant_option = click.option(
    "--tenant", envvar="CHATNATION_TENANT", metavar="HANDLE", help="Of which tenant; not needed while there is one."
)


class Words(click.Choice[StrEnum]):
    """The values of an enum, in small letters as they are; click would ask for their names."""

    def normalize_choice(self, choice: object, ctx: click.Context | None) -> str:
        return super().normalize_choice(str(choice), ctx)


@dataclass(frozen=True)
class Instance:
    """The instance of this data folder or of these addresses, its servers running."""

    settings: Settings
    storage: Storage

    async def tenant(self, handle: str | None) -> Tenant:
        """The tenant of a handle; without one the only tenant. Raises Unknown."""
        async with self.storage.system("find a tenant") as connection:
            return await find_tenant(connection, handle)

    async def audit(self) -> AuditLog:
        """Where the command writes what it did. Nowhere while the plugin's tables are not there yet."""
        schemas = await plugin_schemas(self.storage)
        for record in self.assembly.inventory.active():
            history = plugin_history(record.plugin_class) if record.plugin_class else None
            if history is None or not self.assembly.services.offered_by(AuditLog, record.name):
                continue
            (state,) = await compare(self.storage, [history]) if history.schema in schemas else (None,)
            if state is None or state.behind:
                logger.warning("The audit log has no tables yet, so nothing is recorded: run `chatnation db upgrade`.")
                return SilentAudit()
        return audit_of(self.assembly.services)

    async def record(
        self,
        connection: AsyncConnection,
        tenant: Tenant | None,
        action: str,
        resource_type: str,
        resource_id: object = None,
        /,
        **details: Any,
    ) -> None:
        """Write down what the operator does by this command, in the transaction that does it."""
        record = AuditRecord(
            tenant_id=tenant.id if tenant else None,
            action=action,
            actor=ActorRef(ActorType.SYSTEM, name=operator()),
            resource_type=resource_type,
            resource_id=None if resource_id is None else str(resource_id),
            details=details,
        )
        await (await self.audit()).record(connection, record)

    @cached_property
    def assembly(self) -> Assembly:
        """Its plugins, loaded but not started. Those that do not load are told to the operator in a line each."""
        from chatnation.core.compose import assemble

        loading = logging.getLogger("chatnation.core.plugin")
        loading.setLevel(logging.CRITICAL)
        assembly = assemble(self.settings.model_copy(update={"strict": False}))
        loading.setLevel(logging.NOTSET)
        for record in assembly.inventory:
            if record.state in {State.FAILED, State.BLOCKED}:
                click.secho(f"The plugin {record.name} is {record.state}: {record.reason}", fg="yellow", err=True)
        return assembly


def on_instance(work: Callable[[Instance], Awaitable[T]], *, upgraded: bool = True) -> T:
    """The result of `work`. Embedded servers are joined, or run as long as the work does.

    Raises ConfigurationError when the core's schema is behind, unless `upgraded` is False.
    """
    settings = Settings()
    logs.configure(settings.model_copy(update={"log_level": "WARNING"}))
    with opened(settings) as complete:
        return asyncio.run(_run(work, complete, upgraded=upgraded))


def operator() -> str:
    """Who runs the command, for logs and receipts."""
    return f"{getpass.getuser()}, on the command line"


async def _run(work: Callable[[Instance], Awaitable[T]], settings: Settings, *, upgraded: bool) -> T:
    assert settings.database_url is not None
    storage = Storage(settings.database_url, pool_size=2, application="chatnation command")
    try:
        if upgraded:
            await _check_schema(storage)
        return await work(Instance(settings, storage))
    finally:
        await storage.dispose()


async def _check_schema(storage: Storage) -> None:
    (state,) = await compare(storage, [core_history()])
    if state.behind:
        raise ConfigurationError(
            f"The database is at revision {state.current or 'none'}, this version needs {state.head}: "
            "run `chatnation db upgrade`, or start it once with `chatnation serve`."
        )
