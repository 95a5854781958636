"""What commands need of the instance that they are about."""

from __future__ import annotations

import asyncio
import getpass
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import click

from chatnation.core import logs
from chatnation.core.errors import ConfigurationError
from chatnation.core.instance import opened
from chatnation.core.plugin.inventory import State
from chatnation.core.settings import Settings
from chatnation.core.storage.migrations import compare, core_history
from chatnation.core.storage.storage import Storage

if TYPE_CHECKING:
    from chatnation.core.compose import Assembly

T = TypeVar("T")

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
