"""What every working process has around it: settings from the environment, and a status that says what was wrong."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable

import click

from chatnation.core.app import App
from chatnation.core.compose import compose
from chatnation.core.errors import ConfigurationError, QueueUnavailable
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.supervisor.protocol import EXIT_MISCONFIGURED, EXIT_TRY_AGAIN


def run_child(
    role: Role,
    work: Callable[[App], Awaitable[None]],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    """Compose the app of `role` from the environment and do its `work`; exits with a status for the supervisor."""

    async def run() -> None:
        await work(compose(Settings(), role=role))

    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(run())
    except ConfigurationError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_MISCONFIGURED)
    except (DatabaseUnavailable, QueueUnavailable, OSError) as error:
        click.echo(f"{role}: {error}", err=True)
        sys.exit(EXIT_TRY_AGAIN)
